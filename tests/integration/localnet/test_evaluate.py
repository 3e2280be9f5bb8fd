"""`hubnet match evaluate` as people and programs run it."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from localnet.cli import app
from typer.main import get_command

HUBNET = str(Path(sys.executable).parent / "hubnet")
FIGURES = {"ndcg@10", "mrr@10", "recall@100", "p50_ms", "p99_ms"}
DOCUMENTS = {
    "milk": ("生鲜乳成分检测", "脂肪、蛋白质、体细胞与抗生素残留检测，三个工作日出具报告。"),
    "wool": ("羊绒纤维含量检验", "羊绒与羊毛混纺比例检验。"),
    "loan": ("流动资金贷款", "面向小微企业的信用贷款。"),
    "mark": ("", "商标注册与续展代理。"),
}
QUERIES = {
    "q1": "生鲜乳抗生素残留检测",
    "q2": "羊绒检验",
    "q3": "没有相关文档",
    "q4": "商标续展",
    "q5": "未标注",
}
JUDGED = [("q1", "milk", 3), ("q2", "wool", 2), ("q2", "milk", 1), ("q3", "loan", 0), ("q4", "mark", 1)]


@pytest.fixture(scope="module")
def read_before(tmp_path_factory):
    """Where the model's readings are kept: what it is measured by is read once for all tests."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def files(tmp_path):
    """The three files' paths, and a way to write another."""

    def write(name, text):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return str(path)

    def jsonl(entries):
        return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)

    write("corpus.jsonl", jsonl({"_id": k, "title": t, "text": x} for k, (t, x) in DOCUMENTS.items()))
    write("queries.jsonl.gz", jsonl({"_id": k, "text": text} for k, text in QUERIES.items()))
    rows = "".join(f"{q}\t{d}\t{s}\n" for q, d, s in JUDGED)
    write("qrels.tsv", f"query-id\tcorpus-id\tscore\n{rows}")
    return write


@pytest.fixture
def evaluate(tmp_path):
    def run(*words, own=True, check=True, **environment):
        named = (
            ("--corpus", "corpus.jsonl", "--queries", "queries.jsonl.gz", "--qrels", "qrels.tsv")
            if own
            else ()
        )
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HUBNET_")}
        done = subprocess.run(
            [HUBNET, "match", "evaluate", *named, *words],
            cwd=tmp_path,
            env=clean | {"HUBNET_DATA_DIR": str(tmp_path / "net")} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


def test_figures_for_programs_stand_alone_on_standard_output(files, evaluate):
    done = evaluate("--embeddings", "off", "--json")
    told = json.loads(done.stdout)
    assert {"lexical", "semantic", "fused", "queries", "documents", "model"} == set(told)
    assert (told["queries"], told["documents"], told["model"]) == (3, 4, None)
    for way in ("lexical", "fused"):
        assert set(told[way]) == FIGURES
        assert told[way]["mrr@10"] == 1.0 and 0.9 < told[way]["ndcg@10"] <= 1.0 and told[way]["p50_ms"] > 0
    assert told["semantic"]["ndcg@10"] == 0.0
    assert "1 个查询没有相关文档" in done.stderr and "no model" in done.stderr


def test_people_get_a_table(files, evaluate):
    said = evaluate("--embeddings", "off").stdout
    for part in (
        "nDCG@10",
        "MRR@10",
        "Recall@100",
        "p50 ms",
        "p99 ms",
        "lexical",
        "semantic",
        "fused",
        "corpus",
    ):
        assert part in said


def test_the_model_in_the_process_reads_once_and_keeps_what_it_read(files, evaluate, read_before):
    first = evaluate("--json", "--cache", str(read_before))
    told = json.loads(first.stdout)
    assert told["model"].startswith("multilingual-e5-small") and told["semantic"]["mrr@10"] == 1.0
    assert told["fused"]["mrr@10"] == 1.0 and "reading documents" in first.stderr
    assert (read_before / "vectors.sqlite").stat().st_size > 0
    again = evaluate("--json", "--cache", str(read_before))
    assert "reading documents" not in again.stderr and "calibrating" not in again.stderr
    for way in ("lexical", "semantic", "fused"):
        for figure in ("ndcg@10", "mrr@10", "recall@100"):
            assert json.loads(again.stdout)[way][figure] == told[way][figure]


def test_only_candidates_are_ranked(files, evaluate):
    files("few.tsv", "q1\twool\nq1\tmilk\nq1\tnowhere\nq2\tloan\n")
    done = evaluate("--candidates", "few.tsv", "--embeddings", "off", "--json")
    told = json.loads(done.stdout)["lexical"]
    assert told["mrr@10"] == pytest.approx(1 / 3, abs=1e-6)  # q1 finds milk, q2 and q4 cannot find theirs
    assert told["ndcg@10"] == pytest.approx(1 / 3, abs=1e-6)
    assert "1 个候选文档不存在" in done.stderr and "1 个查询没有候选" in done.stderr


def test_what_judgements_name_and_is_not_there_is_counted(files, evaluate):
    files("qrels.tsv", "q1\tmilk\t1\nq1\tgone\t1\nq9\tmilk\t1\n")
    done = evaluate("--embeddings", "off", "--json")
    assert json.loads(done.stdout)["lexical"]["recall@100"] == 0.5
    assert "1 个 qrels 中的文档不存在" in done.stderr and "1 个 qrels 中的查询不存在" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("corpus.jsonl", '{"_id": "a", "text": "x"}\n{"_id": ', "line 2: is no JSON"),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "x"}\n',
            "line 2: the id is there twice",
        ),
        ("corpus.jsonl", "", "there is no document"),
        ("queries.jsonl.gz", "[]\n", "line 1: is no JSON object"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1 milk 1\n", "line 2: must be three columns"),
        ("qrels.tsv", "nobody\tmilk\t1\n", "nothing to measure"),
    ],
)
def test_bad_files_are_refused_in_both_languages(files, evaluate, name, text, said):
    files(name, text)
    done = evaluate("--embeddings", "off", "--json", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "规则 rule" in done.stderr
    assert said == "nothing to measure" or name in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--corpus", "missing.jsonl"), "missing.jsonl: cannot be read: No such file"),
        (("--qrels", "."), "cannot be read: Is a directory"),
        (("--half", "tune"), "files are missing, or --half"),
        (("--embeddings", "nonsense"), "the settings of the model are wrong"),
        (("--embeddings", "http://127.0.0.1:9/v1"), "HUBNET_EMBEDDINGS_MODEL"),
    ],
)
def test_bad_words_are_refused(files, evaluate, words, said):
    done = evaluate("--embeddings", "off", *words, check=False)
    assert done.returncode == 2 and said in done.stderr


def test_part_of_the_files_is_refused(files, evaluate):
    done = evaluate("--corpus", "corpus.jsonl", own=False, check=False)
    assert done.returncode == 2 and "files are missing" in done.stderr


def test_a_model_that_is_away_is_told_and_nothing_is_measured(files, evaluate):
    done = evaluate("--embeddings", "http://127.0.0.1:9/v1", check=False, HUBNET_EMBEDDINGS_MODEL="m")
    assert (done.returncode, done.stdout) == (1, "") and "the embedding model is away" in done.stderr


def test_the_shipped_set_is_the_default_and_postgresql_a_peer(evaluate):
    done = evaluate("--half", "tune", "--peer", "postgres", "--embeddings", "off", "--json", own=False)
    told = json.loads(done.stdout)
    assert told["documents"] == 420 and set(told["postgres"]) == FIGURES
    assert told["lexical"]["ndcg@10"] > told["postgres"]["ndcg@10"] > 0.2


ODD = (
    "", " \u3000", "牛", "检测" * 10_000, "🐄🥛 👨‍👩‍👧", "ᠮᠣᠩᠭᠣᠯ ᠦᠰᠦᠭ", "ISO9001 认证 ᠮᠣᠩᠭᠣᠯ 🐄 café",
    "\ud83d 半个字符", "\u0000 零", "\ufdfa" * 30, "'引号' \\ & | ! ( )",
)  # fmt: skip


def test_odd_texts_are_read_and_ranked_by_every_way(files, evaluate, read_before):
    """Half a character, NUL, none at all, 20,000, scripts the dictionary does not know."""
    entries = "".join(json.dumps({"_id": f"d{n}\u0000", "text": text}) + "\n" for n, text in enumerate(ODD))
    files("corpus.jsonl", entries)
    files("queries.jsonl.gz", entries)
    files("qrels.tsv", "".join(f"d{n}\u0000\td{n}\u0000\t1\n" for n in range(len(ODD))))
    files("few.tsv", "".join(f"d{n}\u0000\td{n}\u0000\n" for n in range(len(ODD))))
    for more in ((), ("--candidates", "few.tsv")):
        done = evaluate(*more, "--peer", "postgres", "--cache", str(read_before), "--json")
        told = json.loads(done.stdout)
        assert told["postgres"]["recall@100"] > 0.4 and told["lexical"]["recall@100"] > 0.4
        assert told["semantic"]["recall@100"] == pytest.approx(9 / 11)  # two say nothing at all
        assert told["fused"]["mrr@10"] > 0.6


def test_the_family_of_commands_is_there():
    below = get_command(app).commands["match"].commands
    assert {"evaluate", "train", "weights"} <= set(below)
    assert {"list", "show", "activate", "retire"} == set(below["weights"].commands)
