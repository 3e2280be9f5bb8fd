"""The catalogue as an HSDS 3.0 directory (服务目录), read only."""
