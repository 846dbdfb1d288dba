"""Languages beside English and Chinese: found by words alone, folded, and read for dates, amounts and units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from aim_memory.anchors import extract
from aim_memory.config import AIMConfig
from aim_memory.embedded import AIMMemory
from aim_memory.routing.acuity import UNKNOWN, acuity, language
from aim_memory.settings import EmbedderSettings, Settings
from aim_memory.text import Script, Tongue, analyse, cut_names, fold, index_terms, is_question, sentences, tongue
from aim_memory.text.terms import PIECE_MARK
from aim_memory.types import Vectors

WORDS_ALONE = AIMConfig(
    lexical_weight=1, lexical_weight_blind=1, late_weight=0, inertia_strength=0, anchor_boost=0, notion_weight=0
)
PROBED: tuple[Script | Tongue, ...] = ("de", "es", "kana", "hangul", "thai", "arabic", "cyrillic")
REFERENCE = datetime(2025, 6, 11, 9, tzinfo=UTC)
"""A Wednesday."""

NOTES = {
    "ja": (
        "冬用タイヤに替えたら燃費が悪くなった。",
        "弟の結婚式は軽井沢の教会で挙げることになった。",
        "コンピューターの電源が入らず、修理に出した。",
        "庭のあじさいが咲いたので母に写真を送った。",
    ),
    "ko": (
        "도서관에서 빌린 소설을 지하철에 두고 내렸다.",
        "치과에서 사랑니 두 개를 뽑고 죽만 먹었다.",
        "옥상 텃밭에 고추 모종 열 포기를 심었다.",
        "엄마 생신이라 미역국을 끓였는데 너무 짰다.",
    ),
    "th": (
        "เมื่อเช้าทำกุญแจบ้านหายที่ตลาด",
        "พี่สาวเปิดร้านขายก๋วยเตี๋ยวที่เชียงราย",
        "หมอนัดตรวจฟันวันศุกร์หน้า",
        "ปลูกต้นมะม่วงไว้หลังบ้านสองต้น",
    ),
    "ar": (
        "اشتريت سجادة صوفية حمراء من السوق القديم.",
        "نسيتُ مفاتيح السيّارة في مكتب المدير.",
        "جارتنا ستسافر إلى المغرب لزيارة أختها.",
        "زرعت شجرتي ليمون في حديقة البيت.",
    ),
    "de": (
        "Beim Umzug ist die Standuhr meiner Großmutter zerbrochen.",
        "Ich habe einen Termin beim Augenarzt bekommen.",
        "Der Kühlschrank brummt, seit wir in der neuen Küche sind.",
        "Unsere Stromrechnung war im Winter doppelt so hoch.",
    ),
    "ru": (
        "Купила билеты на ночной поезд до Казани.",
        "Сестра учится на ветеринара и живёт в общежитии.",
        "В подвале прорвало трубу, вызвали сантехника.",
        "Подарили дедушке удочку и складной стульчик.",
    ),
    "es": (
        "El fontanero cambió la tubería del baño.",
        "Mi prima alquila una casa en la montaña.",
        "Perdí las gafas en el autobús de la playa.",
        "Plantamos tres limoneros detrás del garaje.",
    ),
}
ASKED = [
    ("ja", "弟はどこで結婚式を挙げますか？", 1),
    ("ja", "ｺﾝﾋﾟｭｰﾀは今どこ？", 2),
    ("ja", "庭に咲いた花は何？", 3),
    ("ko", "사랑니를 몇 개나 뽑았어?", 1),
    ("ko", "지하철에서 잃어버린 책은?", 0),
    ("ko", "텃밭에는 무엇을 심었나요?", 2),
    ("th", "กุญแจหายที่ไหน", 0),
    ("th", "นัดหมอฟันวันไหน", 2),
    ("th", "พี่สาวขายอะไร", 1),
    ("ar", "أين مفاتيح السيارة؟", 1),
    ("ar", "ما لون السجّادة؟", 0),
    ("ar", "إلى أين تسافر الجارة؟", 2),
    ("de", "Wie hoch ist die Rechnung für den Strom?", 3),
    ("de", "Wann habe ich den Arzttermin für die Augen?", 1),
    ("de", "Was ist mit Omas Standuhr passiert?", 0),
    ("ru", "Куда куплен билет на поезд?", 0),
    ("ru", "Где прорвало трубы?", 2),
    ("ru", "На кого училась сестра?", 1),
    ("es", "¿Qué alquiló su prima?", 1),
    ("es", "¿Quién arregló el baño y las tuberías?", 0),
    ("es", "¿Dónde está el limonero?", 3),
]


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> AIMMemory:
    settings = Settings(embedder=EmbedderSettings(kind="hashing"))
    opened = AIMMemory(tmp_path_factory.mktemp("languages"), settings=settings, config=WORDS_ALONE)
    for name, notes in NOTES.items():
        items = [{"id": f"{name}-{number}", "text": text} for number, text in enumerate(notes)]
        opened.write(namespace=f"notes/{name}", memories=items)
    return opened


@pytest.mark.parametrize(("name", "question", "expected"), ASKED)
def test_the_right_memory_comes_first_by_words_alone(
    memory: AIMMemory, name: str, question: str, expected: int
) -> None:
    found = memory.query(question, namespace=f"notes/{name}").results
    assert found[0].id == f"{name}-{expected}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｶﾞﾗｽのｺｯﾌﾟ", "ガラスのコップ"),
        ("٤٥٠٠", "4500"),
        ("๖,๕๐๐", "6,500"),
        ("５万８千", "5万8千"),
        ("مَدْرَسَةٌ", "مدرسه"),
        ("أحمد إلى آخر", "احمد الي اخر"),
        ("جمـــيل", "جميل"),
        ("Müller", "muller"),
        ("ёлка", "ЕЛКА"),
        ("é mañana", "E MANANA"),
    ],
)
def test_width_marks_and_digits_are_folded(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_the_short_i_is_a_letter_and_no_accented_one() -> None:
    assert fold("мой") != fold("мои")
    assert set(analyse("хозяйка")) == set(analyse("хозяйкой"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("الكتاب", "وبالكتاب"),
        ("سيارات", "السيارة"),
        ("велосипедами", "велосипед"),
        ("コンピューター", "コンピュータ"),
    ],
)
def test_forms_of_one_word_share_its_term(one: str, other: str) -> None:
    assert analyse(one).keys() & analyse(other).keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ich habe die Miete für den Juli schon bezahlt.", "de"),
        ("¿Dónde está la llave de la moto?", "es"),
        ("Où est la clé que tu avais dans la voiture ?", "fr"),
        ("Dove hai messo le chiavi della macchina?", "it"),
        ("Onde você deixou a chave do carro?", "pt"),
        ("Where did you leave the key of the car?", "en"),
        ("I read Der Spiegel on the train.", "en"),
        ("She sang Las Mañanitas for him.", "en"),
        ("房租涨了。", "en"),
    ],
)
def test_the_language_of_latin_words_shows_in_their_neighbours(text: str, expected: str) -> None:
    assert tongue(text) == expected


def test_compounds_share_pieces_and_english_has_none() -> None:
    cold, flat = index_terms("Die Kaltmiete ist hoch."), index_terms("Was kostet die Wohnungsmiete?")
    assert PIECE_MARK + "miet" in cold.keys() & flat.keys()
    assert not [term for term in index_terms("The motherboard is in the cupboard.") if term.startswith(PIECE_MARK)]


def test_grouping_points_of_german_and_spanish_go() -> None:
    assert "1150" in analyse("Ich zahle 1.150 Euro für die Prüfung.")
    assert "1.150" in analyse("The ratio was 1.150 in the test.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8. April bis 12. Mai", "2025-04-08/2025-04-09"),
        ("Der Kurs läuft vom 8. bis 12. April.", "2025-04-08/2025-04-13"),
        ("Das war gestern im Büro und nicht hier.", "2025-06-10/2025-06-11"),
        ("La soltamos el 5 de abril de 2024.", "2024-04-05/2024-04-06"),
        ("Vino el año pasado con la familia.", "2024-01-01/2025-01-01"),
        ("Свадьба 19 июля", "2025-07-19/2025-07-20"),
        ("с 4 по 9 октября", "2025-10-04/2025-10-10"),
        ("на прошлой неделе", "2025-06-02/2025-06-09"),
        ("барометр 1938 года", "1938-01-01/1939-01-01"),
        ("يوم ٢٤ تموز", "2025-07-24/2025-07-25"),
        ("العام الماضي", "2024-01-01/2025-01-01"),
        ("วันที่ ๓ กุมภาพันธ์ ๒๕๖๘", "2025-02-03/2025-02-04"),
        ("เดือนหน้า", "2025-07-01/2025-08-01"),
        ("2025년 9월 27일", "2025-09-27/2025-09-28"),
        ("내년 2월에 개업", "2026-02-01/2026-03-01"),
        ("四月十二日から", "2025-04-12/2025-04-13"),
        ("先週引っ越した", "2025-06-02/2025-06-09"),
    ],
)
def test_dates(text: str, expected: str) -> None:
    dates = [anchor for anchor in extract(text, reference=REFERENCE) if anchor.kind == "date"]
    assert dates[0].key == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ich zahle jetzt 1.150,50 Euro Miete.", "1150.5 eur"),
        ("Die Glocke wiegt 412 Kilogramm.", "412000 g"),
        ("La baliza costó 1.900 euros.", "1900 eur"),
        ("за 27 тыс. рублей", "27000 rub"),
        ("весит 1,5 кг", "1500 g"),
        ("بمبلغ ١٢٨٠٠ جنيه", "12800 egp"),
        ("ราคา ๒๘,๐๐๐ บาท", "28000 thb"),
        ("가격은 368만 원", "3680000 krw"),
        ("보증금은 천오백만 원", "15000000 krw"),
        ("家賃は５万８千円", "58000 jpy"),
        ("八十五キロの機械", "85000 g"),
    ],
)
def test_amounts(text: str, expected: str) -> None:
    numbers = [anchor.key for anchor in extract(text, reference=REFERENCE) if anchor.kind == "number"]
    assert numbers == [expected]


def test_a_date_said_in_two_languages_is_one() -> None:
    said = ("30 August 2025", "30. August 2025", "30 августа 2025", "٣٠ آب ٢٠٢٥", "2025년 8월 30일", "2025年8月30日")
    assert len({extract(f"Am {text}", reference=REFERENCE)[0].key for text in said}) == 1


def test_german_nouns_are_no_names() -> None:
    found = extract("Die Heizung klopft, sagt Ansgar Petersen in der Werkstatt.", reference=REFERENCE)
    assert [anchor.text for anchor in found if anchor.kind == "name"] == ["Ansgar Petersen"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sie kommt am 8. April. Danach ruht sie, z.B. in Malente.", 2),
        ("Осталось 14 тыс. рублей. Дом на ул. Гоголя.", 2),
        ("هل أنت هنا؟نعم", 2),
        ("今日は雨。明日は？晴れ", 3),
    ],
)
def test_sentences(text: str, expected: int) -> None:
    assert len(sentences(text)) == expected


def test_an_arabic_question_mark_asks() -> None:
    assert is_question("أين المفاتيح؟")


def test_a_name_is_cut_with_a_particle_behind_it() -> None:
    assert cut_names("도윤이 산 책은?", ("도윤",)) == "이 산 책은?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is it?", "latin"),
        ("Wo ist denn die Uhr?", "de"),
        ("¿Dónde está la llave?", "es"),
        ("Où est la clé de la voiture ?", "es"),
        ("どこですか", "kana"),
        ("어디예요", "hangul"),
        ("อยู่ที่ไหน", "thai"),
        ("أين هو", "arabic"),
        ("Где он", "cyrillic"),
    ],
)
def test_an_embedder_is_probed_in_the_language_of_the_question(text: str, expected: str) -> None:
    assert language(text) == expected


@pytest.mark.parametrize("name", PROBED)
def test_an_embedder_that_gives_every_text_one_vector_is_not_trusted(name: Script | Tongue) -> None:
    noise = np.random.default_rng(7)

    def embed(texts: Sequence[str]) -> tuple[Vectors, None]:
        rows = np.ones((len(texts), 8), np.float32) + noise.normal(0, 1e-6, (len(texts), 8)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True), None

    assert acuity(embed, name) < 0.05


@pytest.mark.parametrize("name", PROBED)
def test_an_embedder_that_pairs_questions_with_answers_is_trusted(name: Script | Tongue) -> None:
    def embed(texts: Sequence[str]) -> tuple[Vectors, None]:
        return np.repeat(np.eye(len(texts) // 2, dtype=np.float32), 2, axis=0), None

    assert acuity(embed, name) == 1.0


def test_a_script_without_probes_is_half_trusted() -> None:
    assert acuity(lambda texts: (np.zeros((len(texts), 2), np.float32), None), "hebrew") == UNKNOWN
