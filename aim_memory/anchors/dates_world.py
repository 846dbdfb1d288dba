"""Dates in German, Spanish, Russian, Arabic, Thai, Korean and Japanese, where one table does: days of named months,
months behind a preposition, and yesterday, next week, last year. Read on folded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from aim_memory.anchors import calendar
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.surface import Surface

Found = tuple[int, int, Span | None]

_MONTH_FORMS = (
    "januar jan enero января январь январе يناير كانون_الثاني มกราคม ม.ค.",
    "februar feb febrero февраля февраль феврале فبراير شباط กุมภาพันธ์ ก.พ.",
    "marz maerz marzo марта март марте مارس اذار มีนาคม มี.ค.",
    "april abril апреля апрель апреле ابريل نيسان เมษายน เม.ย.",
    "mai mayo мая май мае مايو ايار พฤษภาคม พ.ค.",
    "juni junio июня июнь июне يونيو حزيران มิถุนายน มิ.ย.",
    "juli julio июля июль июле يوليو تموز กรกฎาคม ก.ค.",
    "august agosto августа август августе اغسطس اب สิงหาคม ส.ค.",
    "september septiembre setiembre сентября сентябрь сентябре سبتمبر ايلول กันยายน ก.ย.",
    "oktober octubre октября октябрь октябре اكتوبر تشرين_الاول ตุลาคม ต.ค.",
    "november noviembre ноября ноябрь ноябре نوفمبر تشرين_الثاني พฤศจิกายน พ.ย.",
    "dezember diciembre декабря декабрь декабре ديسمبر كانون_الاول ธันวาคม ธ.ค.",
)
_MONTHS = {
    form.replace("_", " "): number for number, forms in enumerate(_MONTH_FORMS, start=1) for form in forms.split()
}
_PHRASES = {
    ("day", -2): "vorgestern anteayer позавчера 그저께 엊그제",
    ("day", -1): "gestern ayer вчера امس البارحة เมื่อวานนี้ เมื่อวาน 어제",
    ("day", 0): "heute hoy сегодня اليوم วันนี้ 오늘",
    ("day", 1): "завтра غدا พรุ่งนี้ 내일",
    ("day", 2): "ubermorgen послезавтра มะรืนนี้ 모레",
    ("week", -1): "letzte_woche vergangene_woche la_semana_pasada на_прошлой_неделе الاسبوع_الماضي สัปดาห์ที่แล้ว "
    "อาทิตย์ที่แล้ว 지난주 지난_주 先周",
    ("week", 0): "diese_woche esta_semana на_этой_неделе هذا_الاسبوع สัปดาห์นี้ อาทิตย์นี้ 이번주 이번_주 今周",
    ("week", 1): "nachste_woche kommende_woche la_proxima_semana la_semana_que_viene на_следующей_неделе "
    "الاسبوع_القادم الاسبوع_المقبل สัปดาห์หน้า อาทิตย์หน้า 다음주 다음_주 来周",
    ("month", -1): "letzten_monat vergangenen_monat el_mes_pasado в_прошлом_месяце الشهر_الماضي เดือนที่แล้ว 지난달 "
    "지난_달 先月",
    ("month", 0): "diesen_monat este_mes в_этом_месяце هذا_الشهر เดือนนี้ 이번달 이번_달 今月",
    ("month", 1): "nachsten_monat kommenden_monat el_proximo_mes el_mes_que_viene в_следующем_месяце الشهر_القادم "
    "الشهر_المقبل เดือนหน้า 다음달 다음_달 来月",
    ("year", -1): "letztes_jahr vergangenes_jahr el_ano_pasado в_прошлом_году العام_الماضي السنة_الماضية ปีที่แล้ว "
    "작년 昨年",
    ("year", 0): "dieses_jahr este_ano в_этом_году هذا_العام هذه_السنة ปีนี้ 올해",
    ("year", 1): "nachstes_jahr kommendes_jahr el_proximo_ano el_ano_que_viene в_следующем_году العام_القادم "
    "السنة_القادمة العام_المقبل ปีหน้า 내년 来年",
}
"""(unit, steps from the day of the text) → phrases, folded."""
_RELATIVE = {
    form.replace("_", " "): step for step, forms in _PHRASES.items() for form in forms.replace("ة", "ه").split()
}


def _longest_first(forms: dict[str, int] | dict[str, tuple[str, int]]) -> str:
    return "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))


_NAMES = _longest_first(_MONTHS)
_DAY = r"\d{1,2}(?:\.|-?го|º)?"
_TO = r" ?(?:[-–]|bis(?: zum)?|y|al?|по|до|и|ถึง|الى|حتي) ?"
_YEAR = r"(?:,? ?(?:del?|سنه|عام|พ\.ศ\.|ค\.ศ\.)? ?(?P<year>(?:19|20|25)\d\d)(?!\d))?"
_BEFORE = r"(?:im|seit|ab|bis|ende|anfang|mitte|en|desde|hasta|para|в|во|с|до|к|от|начале|конце|середине|شهر|في|منذ)"
_DATE = re.compile(
    rf"(?<![\d.,:/-])(?:(?P<first>{_DAY}){_TO})?(?P<day>{_DAY}) ?(?:de )?(?P<month>{_NAMES})(?!\w){_YEAR}"
    rf"|(?<!\w){_BEFORE} (?P<alone>{_NAMES})(?!\w){_YEAR.replace('year', 'year2')}"
    rf"|เดือน(?P<thai>{_NAMES}){_YEAR.replace('year', 'year3')}"
    r"|(?:(?P<kyear>(?:19|20)\d\d)년|(?P<krelative>작년|올해|내년)(?= ?\d))"
    r"(?: ?(?P<kymonth>\d{1,2})월(?: ?(?P<kyday>\d{1,2})일)?)?"
    r"|(?<!\d)(?P<kmonth>\d{1,2})월(?: ?(?P<kday>\d{1,2})일)?"
    r"|(?<![\d.])(?P<dd>\d{1,2})\.(?P<mm>\d{1,2})\.(?P<yyyy>(?:19|20)\d\d)(?![\d.])"
    r"|(?<!\w)(?:en|de|desde|seit|jahre?|سنه|عام) (?P<lone>(?:19|20)\d\d)(?![\d.,]\d)"
    r"|(?P<lone2>(?:19|20)\d\d) ?(?:год[ау]?|г\.)|(?:พ\.ศ\.|ค\.ศ\.|ปี) ?(?P<lone3>(?:19|20|25)\d\d)(?!\d)"
    rf"|(?<![a-zа-я\u0600-\u06ff])(?P<relative>{_longest_first(_RELATIVE)})(?![a-zа-я\u0600-\u06ff经])",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"[а-я\u0600-\u06ff\u0e00-\u0e7f\uac00-\ud7af]|[先今来昨][周月年]"
    r"|\d\. (?:janu|febr|marz|apri|mai|juni|juli|augu|sept|okto|nove|deze)",
    re.IGNORECASE,
)
"""What is in one of these languages, whatever its Latin words are in; "8. April" is no English."""
_ERA = 543
"""Buddhist years run ahead by so much."""


def world_dates(surface: Surface, today: date) -> Iterator[Found]:
    """(start, end, days) of each expression, in order of appearance."""
    if not _CUE.search(surface.lower) and surface.language == "en":
        return
    for match in _DATE.finditer(surface.lower):
        span = _span(match, today)
        if span:
            yield match.start(), match.end(), span


def _span(match: re.Match[str], today: date) -> Span | None:
    found = match.groupdict()
    if found["relative"]:
        unit, steps = _RELATIVE[found["relative"].lower()]
        return calendar.ago(today, -steps, unit)
    if found["dd"]:
        return calendar.day(int(found["yyyy"]), int(found["mm"]), int(found["dd"]))
    if found["month"]:
        span = _named(_MONTHS[found["month"].lower()], _number(found["day"]), _number(found["year"]), today)
        return _from(span, _number(found["first"]))
    alone = found["alone"] or found["thai"]
    if alone:
        return _named(_MONTHS[alone.lower()], None, _number(found["year2"] or found["year3"]), today)
    lone = _number(found["lone"] or found["lone2"] or found["lone3"])
    return calendar.year(_common(lone)) if lone else _korean(found, today)


def _korean(found: dict[str, str | None], today: date) -> Span | None:
    year = _number(found["kyear"])
    if found["krelative"]:
        year = today.year + _RELATIVE[found["krelative"]][1]
    month, day = _number(found["kymonth"] or found["kmonth"]), _number(found["kyday"] or found["kday"])
    if month:
        return _named(month, day, year, today)
    return calendar.year(year) if year else None


def _number(text: str | None) -> int | None:
    digits = re.match(r"\d+", text) if text else None
    return int(digits.group()) if digits else None


def _named(month: int, day: int | None, year: int | None, today: date) -> Span | None:
    """A day of a month, or the month; without a year the nearest."""
    if not 1 <= month <= 12:
        return None
    if not year:
        return calendar.nearest(today, month, day)
    year = _common(year)
    return calendar.day(year, month, day) if day else calendar.month(year, month)


def _common(year: int) -> int:
    """The year of the common era."""
    return year - _ERA if year > 2400 else year


def _from(span: Span | None, first: int | None) -> Span | None:
    """Stretches a day back to an earlier one of its month: vom 8. bis 12. April."""
    if not span or not first or first >= span[0].day:
        return span
    begin = calendar.day(span[0].year, span[0].month, first)
    return (begin[0], span[1]) if begin else span
