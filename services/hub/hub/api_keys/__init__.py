"""Keys a person gives to a program (接口密钥)."""
