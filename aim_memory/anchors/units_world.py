"""What units are called in German, Spanish, Russian, Arabic, Thai, Korean and Japanese; folded."""

from __future__ import annotations

WORLD_FORMS = {
    "km": "kilometern kilometros километр километра километров км 킬로미터 กิโลเมตร กม كيلومتر كيلومترا キロメートル",
    "m": "metern metro metros метр метра метров м 미터 เมตร متر مترا امتار メートル",
    "cm": "zentimeter centimetros сантиметр сантиметра сантиметров см 센티미터 센티 เซนติเมตร سنتيمتر センチ",
    "kg": "kilogramm kilogramos килограмм килограмма килограммов кило кг 킬로그램 킬로 กิโลกรัม กิโล "
    "كيلوغرام كيلوجرام كيلو キロ",
    "g": "gramm gramos грамм грамма граммов г 그램 กรัม غرام جرام グラム",
    "ton": "tonnen toneladas тонна тонны тонн 톤 ตัน طن トン",
    "l": "litros литр литра литров л 리터 ลิตร لتر リットル",
    "second": "sekunde sekunden segundo segundos секунда секунды секунд 초 วินาที ثانيه ثوان",
    "minute": "minuten minuto minutos минута минуты минут мин 분 นาที دقيقه دقائق",
    "hour": "stunde stunden hora horas час часа часов 시간 ชั่วโมง ساعات 时间",
    "day": "tage tagen dia dias день дня дней 일 วัน يوم يوما ايام 日间",
    "week": "woche wochen semana semanas неделя недели недель 주 주일 สัปดาห์ اسبوع اسابيع 周间",
    "month": "monat monate monaten mes meses месяц месяца месяцев 개월 เดือน شهر شهرا اشهر شهور",
    "year": "jahr jahre jahren ano anos год года лет 년 ปี سنه سنوات عاما 年间",
    "age": "살 세 ขวบ",
    "percent": "prozent процент процента процентов 퍼센트 เปอร์เซ็นต์ بالمئه بالمائه パーセント",
    "degree": "grados градус градуса градусов 도 องศา درجه درجات",
    "usd": "dolar dolares доллар доллара долларов 달러 ดอลลาร์ دولار دولارا ドル",
    "eur": "евро 유로 ยูโร يورو ユーロ",
    "jpy": "엔 เยน",
    "krw": "원",
    "rub": "рубль рубля рублей руб",
    "thb": "baht บาท",
    "egp": "جنيه جنيها جنيهات",
    "sar": "ريال ريالا ريالات",
    "aed": "درهم درهما دراهم",
    "person": "personen personas человек 명 คน شخص اشخاص",
    "page": "seiten paginas страница страницы страниц 쪽 페이지 หน้า صفحه صفحات ページ",
    "time": "veces раз раза 번 ครั้ง مره مرات",
    "sqm": "quadratmeter ตารางเมตร",
}
"""Canonical unit → its further names."""

WORLD_SCALES = {
    "tausend": 1e3,
    "mil": 1e3,
    "millionen": 1e6,
    "millones": 1e6,
    "тыс": 1e3,
    "тысяча": 1e3,
    "тысячи": 1e3,
    "тысяч": 1e3,
    "миллион": 1e6,
    "миллиона": 1e6,
    "миллионов": 1e6,
    "млн": 1e6,
    "الف": 1e3,
    "الاف": 1e3,
    "مليون": 1e6,
    "만": 1e4,
    "천": 1e3,
    "억": 1e8,
    "พัน": 1e3,
    "หมื่น": 1e4,
    "แสน": 1e5,
    "ล้าน": 1e6,
}
"""Words that multiply the digits before them."""
