"""Can the embedder read a language at all? Asked once per embedder and language, with a few sentences of our own.

English MiniLM puts a Chinese question no nearer to its answer than to any other Chinese sentence. Cosines do not show
that (they are all high), nor does their spread (some good models have a narrow one); finding the right partner does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aim_memory.routing.values import Embed
from aim_memory.text import Script, Tongue, script, tongue

_Pairs = tuple[tuple[str, str], ...]

_ENGLISH: _Pairs = (
    ("Where does she live now?", "After the summer she moved into a flat near the harbour."),
    ("How much did the bike cost?", "I paid eight hundred for my new bicycle."),
    ("What is his job?", "He works as a nurse at the children's hospital."),
    ("When is the exam?", "The final test takes place on the third of June."),
    ("Which food can't he eat?", "Peanuts give him a bad allergic reaction."),
    ("What music does she like?", "Her favourite songs are old jazz ballads."),
    ("Why was the train late?", "Heavy snow blocked the rails for two hours."),
    ("Who repaired the roof?", "A carpenter from the village fixed the tiles."),
)
_HAN: _Pairs = (
    ("她现在住在哪里？", "夏天过后她搬进了港口附近的一套公寓。"),
    ("自行车花了多少钱？", "我那辆新单车付了八百块。"),
    ("他是做什么工作的？", "他在儿童医院当护士。"),
    ("什么时候考试？", "期末测验安排在六月三号。"),
    ("他不能吃什么？", "花生会让他严重过敏。"),
    ("她喜欢什么音乐？", "老爵士歌曲是她的最爱。"),
    ("火车为什么晚点？", "大雪把铁轨堵了两个小时。"),
    ("屋顶是谁修的？", "村里的木匠把瓦片补好了。"),
)
_KANA: _Pairs = (
    ("彼女は今どこに住んでいますか？", "夏のあと、港の近くのアパートに引っ越した。"),
    ("自転車はいくらでしたか？", "新しいバイクに八万円払いました。"),
    ("彼の仕事は何ですか？", "小児病院で看護師として働いている。"),
    ("試験はいつですか？", "期末テストは六月三日に行われます。"),
    ("彼が食べられないものは？", "ピーナッツでひどいアレルギーが出る。"),
    ("彼女はどんな音楽が好きですか？", "古いジャズの歌がお気に入りです。"),
    ("電車はなぜ遅れたのですか？", "大雪で線路が二時間ふさがれた。"),
    ("屋根を直したのは誰ですか？", "村の大工さんが瓦を張り替えてくれた。"),
    ("妹さんの犬の名前は？", "妹が飼っている子犬はモモと呼ばれている。"),
    ("鍵はどこに置いた？", "玄関の青い皿の中に入れてあります。"),
    ("お店は何時に閉まる？", "夜九時を過ぎると営業していません。"),
    ("旅行は誰と行った？", "祖母と二人で温泉に出かけた。"),
)
_HANGUL: _Pairs = (
    ("그녀는 지금 어디에 살아요?", "여름이 지나고 항구 근처 아파트로 이사했다."),
    ("자전거는 얼마였어요?", "새 자전거에 팔십만 원을 냈어요."),
    ("그의 직업은 무엇인가요?", "어린이 병원에서 간호사로 일한다."),
    ("시험은 언제예요?", "기말고사는 유월 삼일에 있습니다."),
    ("그가 못 먹는 음식은?", "땅콩을 먹으면 심한 알레르기가 생긴다."),
    ("그녀는 어떤 음악을 좋아해요?", "오래된 재즈 노래를 가장 좋아한다."),
    ("기차는 왜 늦었어요?", "폭설로 선로가 두 시간 막혔다."),
    ("지붕은 누가 고쳤어요?", "마을 목수가 기와를 손봐 주었다."),
    ("여동생 강아지 이름이 뭐예요?", "동생이 키우는 새끼 개는 모모라고 불린다."),
    ("열쇠를 어디에 두었어요?", "현관의 파란 접시에 넣어 두었습니다."),
    ("가게는 몇 시에 닫아요?", "밤 아홉 시가 지나면 영업하지 않는다."),
    ("여행은 누구와 갔어요?", "할머니와 둘이서 온천에 다녀왔다."),
)
_CYRILLIC: _Pairs = (
    ("Где она сейчас живёт?", "После лета она переехала в квартиру у гавани."),
    ("Сколько стоил велосипед?", "Я заплатил за новый велик восемьсот."),
    ("Кем он работает?", "Он медбрат в детской больнице."),
    ("Когда экзамен?", "Итоговый тест пройдёт третьего июня."),
    ("Что ему нельзя есть?", "От арахиса у него сильная аллергия."),
    ("Какую музыку она любит?", "Её любимые песни — старые джазовые баллады."),
    ("Почему опоздал поезд?", "Рельсы на два часа завалило снегом."),
    ("Кто починил крышу?", "Плотник из деревни поправил черепицу."),
    ("Как зовут собаку сестры?", "Её щенок откликается на кличку Мома."),
    ("Куда положили ключи?", "Связка лежит в синей тарелке у двери."),
    ("До какого часа открыт магазин?", "После девяти вечера там никого не обслуживают."),
    ("С кем она ездила в отпуск?", "Вдвоём с бабушкой они отдыхали на источниках."),
)
_THAI: _Pairs = (
    ("ตอนนี้เธออยู่ที่ไหน", "หลังหน้าร้อนเธอย้ายไปแฟลตใกล้ท่าเรือ"),
    ("จักรยานราคาเท่าไหร่", "จ่ายไปแปดพันกับรถถีบคันใหม่"),
    ("เขาทำงานอะไร", "เขาเป็นพยาบาลในโรงพยาบาลเด็ก"),
    ("สอบวันไหน", "ทดสอบปลายภาคมีวันที่สามมิถุนายน"),
    ("อาหารอะไรที่เขากินไม่ได้", "ถั่วลิสงทำให้เขาแพ้อย่างรุนแรง"),
    ("เธอชอบเพลงแบบไหน", "บัลลาดแจ๊สเก่า ๆ คือของโปรดของเธอ"),
    ("ทำไมรถไฟมาช้า", "หิมะตกหนักปิดรางอยู่สองชั่วโมง"),
    ("ใครซ่อมหลังคา", "ช่างไม้ในหมู่บ้านเปลี่ยนกระเบื้องให้"),
    ("หมาของน้องสาวชื่ออะไร", "ลูกสุนัขที่น้องเลี้ยงถูกเรียกว่าโมโม่"),
    ("กุญแจวางไว้ตรงไหน", "ใส่ไว้ในจานสีฟ้าข้างประตู"),
    ("ร้านปิดกี่โมง", "หลังสามทุ่มไม่เปิดขายแล้ว"),
    ("ไปเที่ยวกับใคร", "เธอกับคุณยายไปแช่น้ำพุร้อนกันสองคน"),
)
_ARABIC: _Pairs = (
    ("أين تسكن الآن؟", "بعد الصيف انتقلت إلى شقة قرب الميناء."),
    ("كم كلفت الدراجة؟", "دفعت ثمانمئة ثمناً لعجلتي الجديدة."),
    ("ما مهنته؟", "يعمل ممرضاً في مستشفى الأطفال."),
    ("متى الامتحان؟", "يقام الاختبار النهائي في الثالث من حزيران."),
    ("ما الطعام الممنوع عليه؟", "الفول السوداني يسبب له حساسية شديدة."),
    ("أي موسيقى تحب؟", "أغانيها المفضلة ألحان جاز قديمة."),
    ("لماذا تأخر القطار؟", "سد الثلج الكثيف السكة ساعتين."),
    ("من أصلح السقف؟", "نجار من القرية ثبّت القرميد."),
    ("ما اسم كلب أختها؟", "الجرو الذي تربيه ينادونه مومو."),
    ("أين وضعتم المفاتيح؟", "هي في الصحن الأزرق قرب الباب."),
    ("متى يغلق الدكان؟", "بعد التاسعة مساء لا يبيعون شيئاً."),
    ("مع من سافرت في العطلة؟", "ذهبت هي وجدتها وحدهما إلى الينابيع."),
)
_GERMAN: _Pairs = (
    ("Wo wohnt sie jetzt?", "Nach dem Sommer ist sie in ein Appartement am Hafen gezogen."),
    ("Was hat das Fahrrad gekostet?", "Für mein neues Rad habe ich achthundert bezahlt."),
    ("Was ist er von Beruf?", "Er arbeitet als Pfleger in der Kinderklinik."),
    ("Wann ist die Prüfung?", "Der Abschlusstest findet am dritten Juni statt."),
    ("Was darf er nicht essen?", "Auf Erdnüsse reagiert er stark allergisch."),
    ("Welche Musik mag sie?", "Alte Jazzballaden hört sie am liebsten."),
    ("Warum hatte der Zug Verspätung?", "Schwerer Schnee hat die Gleise zwei Stunden blockiert."),
    ("Wer hat das Dach repariert?", "Ein Zimmermann aus dem Dorf setzte neue Ziegel ein."),
    ("Wie heißt der Hund ihrer Schwester?", "Der Welpe hört auf den Namen Momo."),
    ("Wo liegen die Schlüssel?", "Sie sind in der blauen Schale neben der Tür."),
    ("Bis wann hat der Laden geöffnet?", "Nach neun Uhr abends wird dort nichts mehr verkauft."),
    ("Mit wem war sie im Urlaub?", "Zu zweit mit ihrer Oma fuhr sie an die Quellen."),
)
_SPANISH: _Pairs = (
    ("¿Dónde vive ella ahora?", "Después del verano se mudó a un piso junto al puerto."),
    ("¿Cuánto costó la bicicleta?", "Pagué ochocientos por mi bici nueva."),
    ("¿A qué se dedica él?", "Trabaja de enfermero en el hospital infantil."),
    ("¿Cuándo es el examen?", "La prueba final será el tres de junio."),
    ("¿Qué alimento no puede comer?", "Los cacahuetes le dan una alergia fuerte."),
    ("¿Qué música le gusta?", "Sus canciones favoritas son viejas baladas de jazz."),
    ("¿Por qué llegó tarde el tren?", "La nieve bloqueó las vías durante dos horas."),
    ("¿Quién arregló el tejado?", "Un carpintero del pueblo cambió las tejas."),
    ("¿Cómo se llama el perro de su hermana?", "El cachorro responde al nombre de Momo."),
    ("¿Dónde están las llaves?", "Quedaron en el plato azul junto a la puerta."),
    ("¿Hasta qué hora abre la tienda?", "Después de las nueve de la noche ya no venden nada."),
    ("¿Con quién se fue de vacaciones?", "Ella y su abuela pasaron unos días en las termas."),
)
_PROBES: dict[Script | Tongue, _Pairs] = {
    "latin": _ENGLISH,
    "de": _GERMAN,
    "es": _SPANISH,
    "han": _HAN,
    "kana": _KANA,
    "hangul": _HANGUL,
    "thai": _THAI,
    "arabic": _ARABIC,
    "cyrillic": _CYRILLIC,
}
_NEAREST: dict[Tongue, Script | Tongue] = {"en": "latin", "fr": "es", "it": "es", "pt": "es"}
UNKNOWN = 0.5
"""For scripts without sentences here."""
FULL = 0.6
"""Share of the best possible separation from which on an embedder is trusted fully."""
_LEAST_SPREAD = 1e-3
"""A model that knows no sign of a script gives one vector to all its texts, up to rounding."""


def language(text: str) -> Script | Tongue:
    """What to ask ``acuity`` about a text: its script, or for Latin text the language whose sentences stand for it."""
    found = script(text)
    if found != "latin":
        return found
    spoken = tongue(text)
    return _NEAREST.get(spoken, spoken)


@lru_cache(maxsize=64)
def acuity(embed: Embed, language: Script | Tongue) -> float:
    """How well questions find their answers among the probes, in [0, 1]: 0 like chance, 1 reliably.

    Per question, the z-score of its answer among all answers, averaged; n answers allow at most √(n−1).
    Raises EmbedderError.
    """
    pairs = _PROBES.get(language)
    if pairs is None:
        return UNKNOWN
    vectors, _ = embed([text for pair in pairs for text in pair])
    cosines = vectors[0::2] @ vectors[1::2].T
    spread = cosines.std(axis=1) + _LEAST_SPREAD
    separation = float(((np.diag(cosines) - cosines.mean(axis=1)) / spread).mean())
    return float(np.clip(separation / np.sqrt(len(pairs) - 1) / FULL, 0.0, 1.0))
