"""As much of curl as the documents use, for machines that have none."""

import argparse
import sys

import httpx

parser = argparse.ArgumentParser()
parser.add_argument("-s", action="store_true")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-d", action="append", default=[])
parser.add_argument("-G", action="store_true")
parser.add_argument("--data-binary")
parser.add_argument("--data-urlencode", action="append", default=[])
parser.add_argument("url")
told = parser.parse_args()
headers = dict(header.split(": ", 1) for header in told.H)
fields = dict(field.split("=", 1) for field in (*told.d, *told.data_urlencode) if "=" in field)
if told.G:
    answer = httpx.get(told.url, params=fields, headers=headers, trust_env=False)
elif told.data_binary is not None:
    answer = httpx.post(told.url, content=told.data_binary.encode(), headers=headers, trust_env=False)
elif told.d:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    answer = httpx.post(told.url, content="&".join(told.d).encode(), headers=headers, trust_env=False)
else:
    answer = httpx.get(told.url, headers=headers, trust_env=False)
sys.stdout.write(answer.text)
sys.exit(0 if answer.is_success else 22)
