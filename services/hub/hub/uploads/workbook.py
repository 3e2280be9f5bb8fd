"""A workbook as lines of JSON, in a process of its own: `python -m hub.uploads.workbook IN OUT`.

What a workbook holds when unpacked, only unpacking tells. So it happens where the system bounds memory and
time, and where a bomb takes nobody with it.
"""

import json
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineWorkbook

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_S = 120
# What a hundred thousand offerings need, several times over.
UNPACKED_BYTES = 512 * 1024 * 1024
ENTRIES = 1000
SHEETS = 10
TOO_LARGE, NO_WORKBOOK = 3, 4


def cell(value: object) -> object:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value.total_seconds()) if isinstance(value, timedelta) else str(value)


def main(given: str, made: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    try:
        with zipfile.ZipFile(given) as archive:
            entries = archive.infolist()
        if len(entries) > ENTRIES or sum(entry.file_size for entry in entries) > UNPACKED_BYTES:
            return TOO_LARGE
        book = CalamineWorkbook.from_path(given)
        with Path(made).open("w", encoding="utf-8", errors="surrogatepass") as out:
            for number, name in enumerate(book.sheet_names[:SHEETS]):
                for row, cells in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), 1):
                    if any(value not in ("", None) for value in cells):
                        json.dump([number, name, row, [cell(value) for value in cells]], out)
                        out.write("\n")
    except MemoryError:
        return TOO_LARGE
    except Exception:
        return NO_WORKBOOK
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
