"""A platform's own changes, read from it by position."""

import asyncio
import json

import pytest

PATH = "/v1/catalogue/changes"
