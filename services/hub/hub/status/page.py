"""The status page as text: no script, everything escaped, nothing loaded from elsewhere."""

import base64
import hashlib
from datetime import datetime, timedelta, timezone
from html import escape

from hub.status.domain import Place, Status

REFRESH_S = 10
# The region uses Beijing time; it has no summer time.
LOCAL = timezone(timedelta(hours=8))
STATES = {
    "ready": ("正常", "ready"),
    "late": ("迟缓", "late"),
    "silent": ("失联", "silent"),
    "never": ("未接入", "never heard"),
}
KINDS = {
    "hub": ("枢纽", "Hub"),
    "window": ("窗口平台", "Windows"),
    "cluster": ("产业集聚区共享平台", "Clusters"),
    "matchmaking": ("供需对接", "Matchmaking"),
}
CASES = {
    "draft": "草稿", "submitted": "已提交", "returned": "已退回", "published": "已发布", "matched": "已对接",
    "no_match": "无匹配", "quoting": "询价中", "evaluating": "比选中", "awarded": "已选定",
    "in_service": "服务中", "delivered": "已交付", "accepted": "已验收", "disputed": "有争议",
    "rated": "已评价", "closed": "已办结", "withdrawn": "已撤回", "expired": "已过期",
    "no_quotation": "无人报价",
}  # fmt: skip

# The map: equirectangular, wide enough for the region, one degree of latitude as long as 1.4 of longitude.
WEST, NORTH, SCALE = 96.0, 54.0, 30.0
WIDTH, HEIGHT = 940, 720
TEXT = 16  # pixels a Chinese character takes

STYLE = """
:root{color-scheme:light;--ink:#17263a;--soft:#5b6b7f;--line:#d9e0e8;--paper:#f5f7fa;
--ready:#0b7a53;--late:#9a5b00;--silent:#b3261e;--never:#6b7785}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 "Noto Sans SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif}
header{background:#123a5e;color:#fff;padding:20px 24px}
header p{margin:2px 0 0;color:#cfe0ef}
h1{font-size:24px;margin:0}h2{font-size:18px;margin:28px 0 10px}
h2 span,small,.en{color:var(--soft);font-weight:400;font-size:14px}
main{max-width:1180px;margin:0 auto;padding:8px 24px 40px}
.tiles{display:flex;flex-wrap:wrap;gap:12px;padding:0;margin:16px 0;list-style:none}
.tiles li{background:#fff;border:1px solid var(--line);border-radius:8px;padding:10px 16px;min-width:120px}
.tiles b{display:block;font-size:26px;line-height:1.2}
.map{background:#fff;border:1px solid var(--line);border-radius:8px;padding:8px}
.map svg{display:block;width:100%;height:auto;max-height:560px}
.map text{font-size:16px;fill:var(--ink)}
table{width:100%;border-collapse:collapse;background:#fff;border:1px solid var(--line)}
th,td{text-align:left;padding:7px 12px;border-bottom:1px solid var(--line);vertical-align:top}
thead th{background:#eaf0f6;font-size:14px}
tbody th{font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.s{white-space:nowrap;font-weight:600}
.s::before{content:"";display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px;background:currentColor}
.ready{color:var(--ready);fill:var(--ready)}.late{color:var(--late);fill:var(--late)}
.silent{color:var(--silent);fill:var(--silent)}.never{color:var(--never);fill:var(--never)}
.wide{overflow-x:auto}
a{color:#0b5394}header a{color:#fff}
footer{color:var(--soft);font-size:14px;margin-top:28px}
"""
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def clock(moment: datetime | None) -> str:
    return moment.astimezone(LOCAL).strftime("%m-%d %H:%M:%S") if moment else "—"


def _row(place: Place) -> str:
    zh, en = STATES[place.state]
    lag = "—" if place.lag is None else str(place.lag)
    return (
        f'<tr><th scope="row">{escape(place.zh)}<br><span class="en">{escape(place.en)}</span></th>'
        f'<td><span class="s {place.state}">{zh}</span> <span class="en">{en}</span></td>'
        f"<td>{clock(place.since)}</td>"
        f'<td class="n">{lag}</td><td class="n">{place.offerings}</td></tr>'
    )


def _table(kind: str, places: list[Place]) -> str:
    zh, en = KINDS[kind]
    rows = "".join(map(_row, places))
    return (
        f"<h2>{zh} <span>{en}</span></h2>"
        f'<div class="wide"><table><thead><tr><th scope="col">平台 <small>platform</small></th>'
        '<th scope="col">状态 <small>state</small></th><th scope="col">自 <small>since</small></th>'
        '<th scope="col" class="n">待同步 <small>lag</small></th>'
        f'<th scope="col" class="n">服务产品 <small>offerings</small></th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _short(place: Place) -> str:
    return place.zh.removesuffix("窗口平台")


Box = tuple[float, float, float, float]


def _apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _label(x: float, y: float, text: str, taken: list[Box]) -> Box:
    """Where a name fits beside its dot: right, left, below or above, the first that covers nothing."""
    wide = TEXT * len(text)
    corners = (
        (x + 13, y - TEXT / 2),
        (x - 13 - wide, y - TEXT / 2),
        (x - wide / 2, y + 11),
        (x - wide / 2, y - 11 - TEXT),
    )
    boxes = [(left, top, left + wide, top + TEXT) for left, top in corners]
    return next((box for box in boxes if all(_apart(box, other) for other in taken)), boxes[0])


def _map(places: list[Place]) -> str:
    """Windows where they lie; the tables below say the same in words."""
    spots = [
        (place, round((place.lon - WEST) * SCALE), round((NORTH - place.lat) * SCALE * 1.4))
        for place in places
        if place.lon is not None and place.lat is not None
    ]
    taken: list[Box] = [(x - 9, y - 9, x + 9, y + 9) for _, x, y in spots]
    drawn: list[str] = []
    for place, x, y in spots:
        box = _label(x, y, _short(place), taken)
        taken.append(box)
        zh, en = STATES[place.state]
        drawn.append(
            f"<g><title>{escape(place.zh)} {escape(place.en)}: {zh} {en}</title>"
            f'<circle cx="{x}" cy="{y}" r="9" class="{place.state}"/>'
            f'<text x="{box[0]:.0f}" y="{box[3] - 2:.0f}">{escape(_short(place))}</text></g>'
        )
    return (
        f'<div class="map"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="窗口平台示意图，状态见下表 Schematic of the windows; states are in the table below">'
        f"{''.join(drawn)}</svg></div>"
    )


def _tile(number: int, zh: str, en: str) -> str:
    return f"<li><b>{number}</b>{escape(zh)} <small>{escape(en)}</small></li>"


def render(status: Status) -> str:
    by_kind = {kind: [place for place in status.places if place.kind == kind] for kind in KINDS}
    ready = sum(place.state == "ready" for place in status.places)
    tiles = [
        _tile(ready, f"个平台正常，共 {len(status.places)} 个", f"of {len(status.places)} platforms ready"),
        _tile(sum(place.offerings for place in status.places), "项服务产品", "offerings"),
        _tile(sum(status.cases.values()), "件企业需求", "demands"),
        _tile(status.dead_letters, "条死信待处理", "dead letters"),
    ]
    cases = "".join(_tile(count, CASES.get(state, state), state) for state, count in status.cases.items())
    tables = "".join(_table(kind, places) for kind, places in by_kind.items() if places)
    return f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_S}">
<title>网络状态 · 内蒙古中小企业公共服务枢纽平台</title>
<style>{STYLE}</style></head>
<body><header><h1>内蒙古中小企业公共服务枢纽平台</h1>
<p>网络状态 Network status · 北京时间 <time datetime="{status.at.isoformat()}">{clock(status.at)}</time> ·
每 {REFRESH_S} 秒刷新 refreshes every {REFRESH_S} s</p></header>
<main><ul class="tiles">{"".join(tiles)}</ul>
<h2>示意图 <span>Schematic</span></h2>{_map(by_kind["window"])}
{tables}
<h2>企业需求 <span>Demands by state</span></h2>
<ul class="tiles">{cases or "<li>尚无企业需求 <small>none yet</small></li>"}</ul>
<footer>接口文档 API: <a href="/docs">/docs</a> · 目录 catalogue: <a href="/v1/catalogue">/v1/catalogue</a> ·
平台 nodes: <a href="/v1/nodes">/v1/nodes</a></footer>
</main></body></html>
"""
