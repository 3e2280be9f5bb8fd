"""A directory in HSDS form goes in with all its dirt told, and comes out whole."""

import json

from localnet.api import Api
from localnet.endpoints import Endpoints
from reference import credit_code

from tests.federation.conftest import hubnet

CODES = [credit_code.complete(f"91150300EXH{number:06d}") for number in range(3)]
FILES = {
    "organizations.csv": "id,name,description,credit_code,division\r\n"
    f"o1,示例·乌海代办,代办服务,{CODES[0]},150302\r\n"
    f"o2,示例·海拉尔检测,,{CODES[1]},150702\r\n"
    "o3,示例·没有代码,,,150302\r\n",
    "services.csv": "id,organization_id,name,status,description\r\n"
    "s1,o1,示例·开业登记代办,active,不收费\r\n"
    "s2,o2,示例·乳品检测,active,\r\n"
    "s3,o3,示例·无法导入,active,\r\n"
    "s4,o9,示例·没有机构,active,\r\n"
    "s5,o1,示例·已停办,defunct,\r\n",
    "attributes.csv": "id,link_id,link_entity,taxonomy_term_id\r\na1,s1,service,t1\r\na2,s2,service,t2\r\na5,s5,service,t1\r\n",
    "taxonomy_terms.csv": "id,code,name,description\r\n"
    "t1,entrepreneurship.registration_agency,登记代办,\r\nt2,technology_quality.testing,检测,\r\n",
    "phones.csv": "id,number,organization_id\r\np1,电话见网站,o1\r\n",
}  # fmt: skip


async def test_a_directory_goes_in_and_comes_out(network, example, tmp_path):
    source = tmp_path / "directory"
    source.mkdir()
    for name, text in FILES.items():
        (source / name).write_text(text, encoding="utf-8-sig")
    first = hubnet(network.folder, "import", "hsds", source, "--json", check=False)
    assert first.returncode == 1, first.stderr  # some of it could not be loaded
    said = json.loads(first.stdout)
    assert [(row["id"], row["node"], row["outcome"]) for row in said["rows"]] == [
        ("s1", "wuhai", "created"), ("s2", "hulunbuir", "created"),
    ]  # fmt: skip
    assert said["missing"] == {}
    told = {(one["table"], one["row"], one["rule"]) for one in said["dirt"]}
    assert {
        ("organization", 4, "missing-credit-code"), ("service", 4, "refused-organization"), ("service", 5, "no-organization"),
        ("service", 6, "not-active"), ("phone", 2, "bad-phone"),
    } <= told  # fmt: skip
    again = json.loads(hubnet(network.folder, "import", "hsds", source, "--json", check=False).stdout)
    assert [row["outcome"] for row in again["rows"]] == ["unchanged", "unchanged"]

    async with Api(Endpoints.of(network)) as api:
        page = await api.get("hub", "/v1/catalogue/hsds/services", search="示例·乳品检测")
        assert [one["platform"] for one in page["contents"]] == ["hulunbuir"]
        everything = await api.get("hub", "/v1/catalogue/facets")

    target = tmp_path / "out"
    hubnet(network.folder, "export", "hsds", target)
    package = json.loads((target / "datapackage.json").read_text(encoding="utf-8"))
    assert {one["path"] for one in package["resources"]} <= {path.name for path in target.iterdir()}
    checked = hubnet(network.folder, "import", "hsds", target, "--dry-run", "--json")
    found = json.loads(checked.stdout)
    assert found["read"] == sum(everything["platform"].values()) > 1135
    assert {one["severity"] for one in found["dirt"]} <= {"warning"}
    document = hubnet(network.folder, "export", "hsds", "--json", "--node", "hulunbuir").stdout
    services = json.loads(document)["services"]
    assert {one["platform"] for one in services} == {"hulunbuir"}
    assert len(services) == everything["platform"]["hulunbuir"]
    refused = hubnet(network.folder, "export", "hsds", target, check=False)
    assert refused.returncode == 2 and "overwrites nothing" in refused.stderr
