"""Units: what they are called, and the base unit and factor under which their amounts are compared."""

from __future__ import annotations

import re

from aim_memory.anchors.units_world import WORLD_FORMS

_FORMS = {
    "km": "km kms kilometer kilometers kilometre kilometres 公里 千米",
    "m": "m meter meters metre metres 米",
    "cm": "cm centimeter centimeters centimetre centimetres 厘米 公分",
    "mm": "mm millimeter millimeters millimetre millimetres 毫米",
    "mile": "mile miles mi 英里",
    "foot": "ft foot feet 英尺",
    "inch": "inch inches 英寸",
    "kg": "kg kgs kilo kilos kilogram kilograms 公斤 千克",
    "g": "g gram grams 克",
    "mg": "mg milligram milligrams 毫克",
    "jin": "斤 jin",
    "lb": "lb lbs",
    "ton": "ton tons tonne tonnes 吨",
    "l": "l liter liters litre litres 升 公升",
    "ml": "ml milliliter milliliters millilitre millilitres 毫升",
    "second": "s sec secs second seconds 秒 秒钟",
    "minute": "min mins minute minutes 分钟",
    "hour": "h hr hrs hour hours 小时 个小时 钟头 个钟头",
    "day": "day days 天",
    "week": "week weeks 周 星期 个星期 礼拜 个礼拜",
    "month": "month months 个月",
    "year": "year years yr yrs 年",
    "age": "years-old year-old yo 岁",
    "percent": "% percent pct",
    "celsius": "°c ℃ celsius 摄氏度",
    "fahrenheit": "°f fahrenheit 华氏度",
    "degree": "° degree degrees 度",
    "usd": "usd dollar dollars bucks 美元 美金 美刀",
    "eur": "eur euro euros 欧元",
    "gbp": "gbp 英镑",
    "cny": "cny rmb yuan renminbi 元 块钱 块 人民币",
    "jpy": "jpy yen 日元 円",
    "hkd": "hkd 港币 港元",
    "twd": "twd ntd 新台币 台币",
    "inr": "inr rupees rupee 卢比",
    "krw": "krw won 韩元",
    "pound": "pound pounds 磅",
    "byte": "byte bytes",
    "kb": "kb",
    "mb": "mb 兆",
    "gb": "gb",
    "tb": "tb",
    "ms": "ms millisecond milliseconds 毫秒",
    "hz": "hz",
    "ghz": "ghz",
    "mhz": "mhz",
    "w": "w watt watts 瓦",
    "kw": "kw kilowatt kilowatts 千瓦",
    "kwh": "kwh 度电",
    "kcal": "kcal calorie calories 大卡 千卡 卡路里",
    "sqm": "sqm m² m2 平方米 平米 平方",
    "kmh": "km/h kph kmh",
    "mph": "mph",
    "token": "token tokens",
    "parameter": "parameter parameters params 参数",
    "person": "person people persons 人 个人 口人 名",
    "page": "page pages 页",
    "word": "word words 字 个字",
    "step": "step steps 步",
    "point": "point points pts 分",
    "time": "times 次 遍 回",
}
UNITS = {form: unit for table in (WORLD_FORMS, _FORMS) for unit, forms in table.items() for form in forms.split()}
"""Surface form → canonical unit."""

CURRENCY_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "cny", "₹": "inr", "₩": "krw"}
"""¥ is read as yuan; yen are written JPY, yen or 円."""

COUNT_UNITS = frozenset({"token", "parameter", "person", "page", "word", "step", "point", "time"})
"""Units that say what is counted. Such an amount keeps the key of the bare number."""

_BASE = {
    "km": ("m", 1000.0),
    "cm": ("m", 0.01),
    "mm": ("m", 0.001),
    "mile": ("m", 1609.344),
    "foot": ("m", 0.3048),
    "inch": ("m", 0.0254),
    "kg": ("g", 1000.0),
    "mg": ("g", 0.001),
    "jin": ("g", 500.0),
    "lb": ("g", 453.59237),
    "ton": ("g", 1e6),
    "ml": ("l", 0.001),
    "ms": ("s", 0.001),
    "second": ("s", 1.0),
    "minute": ("s", 60.0),
    "hour": ("s", 3600.0),
    "day": ("s", 86400.0),
    "week": ("s", 604800.0),
    "year": ("month", 12.0),
    "kb": ("byte", 1e3),
    "mb": ("byte", 1e6),
    "gb": ("byte", 1e9),
    "tb": ("byte", 1e12),
    "mhz": ("hz", 1e6),
    "ghz": ("hz", 1e9),
    "kw": ("w", 1000.0),
}

_GLUED = re.compile("[\u0e00-\u0e7f\u3040-\uffff]")
_CJK_FORMS = sorted(filter(_GLUED.match, UNITS), key=len, reverse=True)
CJK_UNIT = re.compile(f"(?:{'|'.join(_CJK_FORMS)})(?!级|口|民)")
"""The longest unit at a position, where no space ends a word: Han, kana, Hangul, Thai."""


def dimension(unit: str | None) -> str | None:
    """The base unit that amounts of ``unit`` are compared in: km, mile → m."""
    return _BASE[unit][0] if unit in _BASE else unit


def magnitude(value: float) -> str:
    """A number in plain digits: 1e7 → "10000000", 12.50 → "12.5"."""
    rounded = float(f"{value:.12g}")
    if rounded.is_integer() and abs(rounded) < 1e18:
        return str(int(rounded))
    return repr(rounded)


def number_key(value: float, unit: str | None) -> str:
    """The normalised form of an amount: "10000 m" for 10 km, "10000000" for 10M and for 10M tokens."""
    if unit is None or unit in COUNT_UNITS:
        return magnitude(value)
    base, factor = _BASE.get(unit, (unit, 1.0))
    return f"{magnitude(value * factor)} {base}"
