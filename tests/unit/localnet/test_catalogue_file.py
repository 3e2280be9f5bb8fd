"""Files with offerings: read line by line, each dealt to its platform or refused with the reason."""

from pathlib import Path

import pytest
from localnet import catalogue_file
from localnet.network import load
from localnet.trouble import Trouble

TOPOLOGY = load(Path(__file__).parents[3] / "deploy" / "topology.yaml")
HEADS = "机构名称,统一社会信用代码,机构所在地,编号,种类,服务名称,服务分类,服务区域,价格下限（元）,价格上限（元）,工期（天）"
ROW = "甲机构,91150105EXA0000192,150105,A-1,仪器,检测,technology_quality.testing,1501；1502,300.50,900,4"


def saved(tmp_path, text, name="offers.csv", encoding="utf-8-sig"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_in_chinese_becomes_what_the_import_takes(tmp_path, encoding):
    (row,) = catalogue_file.read(saved(tmp_path, f"{HEADS}\r\n{ROW}\r\n,,,\r\n", encoding=encoding))
    assert row.number == 2
    assert row.line["provider"] == {
        "name": "甲机构",
        "credit_code": "91150105EXA0000192",
        "division": "150105",
    }
    offering = row.line["offering"]
    assert (offering["kind"], offering["lead_days"], offering["external_ref"]) == ("instrument", 4, "A-1")
    assert offering["price"] == {"from_cents": 30050, "to_cents": 90000}
    assert offering["service_area"] == ["1501", "1502"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("offering.lead_days", "四天"),
        ("offering.price.from_yuan", "1.005"),
        ("offering.price.from_yuan", "NaN"),
        ("offering.price.to_cents", "1e3"),
        ("offering.example", "perhaps"),
    ],
)
def test_a_cell_that_cannot_be_read_refuses_its_row_and_no_other(tmp_path, column, cell):
    text = f"provider.division,{column}\n150105,{cell}\n150105,\n"
    parcels, refused = catalogue_file.dealt(catalogue_file.read(saved(tmp_path, text)), TOPOLOGY, None)
    assert [(one.line, one.field) for one in refused] == [(2, column)]
    assert refused[0].zh and refused[0].en
    assert [number for number, _ in parcels["hohhot"]] == [3]


def test_lines_go_where_they_say_then_where_the_caller_says_then_home(tmp_path):
    text = (
        '{"node": "hohhot-dairy", "provider": {"division": "150105"}}\n'
        '\n{"provider": {"division": "150203"}}\n{"provider": {"division": "150781"}}\n'
    )
    rows = catalogue_file.read(saved(tmp_path, text, "offers.ndjson"))
    parcels, refused = catalogue_file.dealt(rows, TOPOLOGY, None)
    assert {node: [number for number, _ in lines] for node, lines in parcels.items()} == {
        "hohhot-dairy": [1],
        "baotou": [3],
        "manzhouli": [4],
    }
    assert not refused
    assert all("node" not in line for lines in parcels.values() for _, line in lines)
    parcels, _ = catalogue_file.dealt(rows, TOPOLOGY, "wuhai")
    assert {node: len(lines) for node, lines in parcels.items()} == {"hohhot-dairy": 1, "wuhai": 2}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", ""),
        ("[]", ""),
        ("[" * 5000, ""),
        ('{"node": "nowhere", "provider": {"division": "150105"}}', "node"),
        ('{"node": "hub", "provider": {"division": "150105"}}', "node"),
        ('{"node": [], "provider": {"division": "110000"}}', "provider.division"),
        ('{"node": {"a": 1}}', "node"),
        ('{"provider": {"division": 150105}}', "provider.division"),
        ('{"provider": 1}', "provider.division"),
    ],
)
def test_a_line_that_goes_nowhere_is_refused_with_its_field(tmp_path, line, field):
    rows = catalogue_file.read(saved(tmp_path, line, "offers.ndjson"))
    parcels, refused = catalogue_file.dealt(rows, TOPOLOGY, None)
    assert not parcels
    assert [(one.line, one.field) for one in refused] == [(1, field)]


@pytest.mark.parametrize(
    "content", [b"", b"name,colour\nx,y\n", b'provider.name\n"open\n', b"PK\x03\x04\0\0", b"\xff\xff\xff"]
)
def test_what_is_no_table_of_offerings_is_told(tmp_path, content):
    path = tmp_path / "offers.csv"
    path.write_bytes(content)
    with pytest.raises(Trouble) as told:
        catalogue_file.read(path)
    assert str(path) in told.value.wrong[1]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Trouble):
        catalogue_file.read(tmp_path / "absent.csv")
