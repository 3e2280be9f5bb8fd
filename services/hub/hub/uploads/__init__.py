"""Files on their way in, kept piece by piece (上传文件)."""
