"""Can the embedder read a script at all? Asked once per embedder and script, with a few sentences of our own.

English MiniLM puts a Chinese question no nearer to its answer than to any other Chinese sentence. Cosines do not show
that (they are all high), nor does their spread (some good models have a narrow one); finding the right partner does.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aim_memory.routing.values import Embed
from aim_memory.text import Script

_Pairs = tuple[tuple[str, str], ...]

_LATIN: _Pairs = (
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
)
_HANGUL: _Pairs = (
    ("그녀는 지금 어디에 살아요?", "여름이 지나고 항구 근처 아파트로 이사했다."),
    ("자전거는 얼마였어요?", "새 자전거에 팔십만 원을 냈어요."),
    ("그의 직업은 무엇인가요?", "어린이 병원에서 간호사로 일한다."),
    ("시험은 언제예요?", "기말고사는 유월 삼일에 있습니다."),
    ("그가 못 먹는 음식은?", "땅콩을 먹으면 심한 알레르기가 생긴다."),
    ("그녀는 어떤 음악을 좋아해요?", "오래된 재즈 노래를 가장 좋아한다."),
)
_CYRILLIC: _Pairs = (
    ("Где она сейчас живёт?", "После лета она переехала в квартиру у гавани."),
    ("Сколько стоил велосипед?", "Я заплатил за новый велик восемьсот."),
    ("Кем он работает?", "Он медбрат в детской больнице."),
    ("Когда экзамен?", "Итоговый тест пройдёт третьего июня."),
    ("Что ему нельзя есть?", "От арахиса у него сильная аллергия."),
    ("Какую музыку она любит?", "Её любимые песни — старые джазовые баллады."),
)
_PROBES: dict[Script, _Pairs] = {
    "latin": _LATIN,
    "han": _HAN,
    "kana": _KANA,
    "hangul": _HANGUL,
    "cyrillic": _CYRILLIC,
}
UNKNOWN = 0.5
"""For scripts without sentences here."""
FULL = 0.6
"""Share of the best possible separation from which on an embedder is trusted fully."""


@lru_cache(maxsize=64)
def acuity(embed: Embed, script: Script) -> float:
    """How well questions find their answers among the probes, in [0, 1]: 0 like chance, 1 reliably.

    Per question, the z-score of its answer among all answers, averaged; n answers allow at most √(n−1).
    Raises EmbedderError.
    """
    pairs = _PROBES.get(script)
    if pairs is None:
        return UNKNOWN
    vectors, _ = embed([text for pair in pairs for text in pair])
    cosines = vectors[0::2] @ vectors[1::2].T
    spread = cosines.std(axis=1) + 1e-9
    separation = float(((np.diag(cosines) - cosines.mean(axis=1)) / spread).mean())
    return float(np.clip(separation / np.sqrt(len(pairs) - 1) / FULL, 0.0, 1.0))
