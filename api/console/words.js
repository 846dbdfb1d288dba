// What the page says, in English and Chinese.

const WORDS = {
  en: {
    chat: "Chat", memories: "Memories", timeline: "Timeline", namespace: "Namespace", key: "Key",
    send: "Ask", stop: "Stop", remember: "Remember this exchange", fresh: "New session",
    behind: "Behind the answer", behindHint: "Ask something: the memories an answer rests on appear here.",
    question: "Ask your memory …", search: "Search", words: "Search by meaning, words, numbers, dates …",
    write: "Remember", text: "Write something to remember …", more: "More",
    timelineHint: "Each dot is a memory, in the order in which things were said, as high as the weight it still has. An arrow leads from a fact to what replaced it.",
    edit: "Edit", history: "History", forget: "Forget", source: "Original", save: "Save", cancel: "Cancel", close: "Close",
    forgetSure: "Erase this memory, its history and its original? This cannot be undone.",
    superseded: "superseded", pinned: "pinned", pending: "waits for its vector", score: "score", why: "Why it was found",
    matched: "matches", missing: "lacks", conflicting: "contradicts", cited: "cited",
    abstained: "no answer in memory", degraded: "degraded", unsupported: "not in memory", supported: "checked against memory",
    confidence: "confidence", strict: "exact", fast: "gist", tokens: "tokens", saved: "saved", scanned: "compared",
    keyAsk: "This server asks for an API key. It is kept until this tab is closed.", keyLabel: "API key",
    none: "Nothing here yet.", nothingFound: "Nothing found.", written: "Remembered.", edited: "Saved.", forgotten: "Forgotten.",
    failed: "That did not work", shown: (n) => `${n} shown`, found: (n) => `${n} found`, offline: "The server cannot be reached.",
    versions: { write: "written", edit: "edited", supersede: "superseded", reopen: "valid again", pin: "pinned", embed: "indexed" },
    weight: "weight", until: "until", noDates: "There is nothing to draw yet.", parts: "Parts of the score",
    part: {
      lexical: "same words", dense: "meaning", neighbours: "turns around it", reply: "replies to it", speaker: "who said it",
      assistant: "restates", asks: "only asks", when: "time asked about", inertia: "drift of the session", anchors: "numbers, dates, names",
      late: "word by word", evenly: "every word of it", together: "with its neighbours", covered: "words covered",
      beside: "beside a good one", notions: "related notions", chatter: "small talk", session: "its session", told: "told, not asked",
      current: "later version", decay: "age", unread: "looked at less closely", reread: "read again",
    },
  },
  zh: {
    chat: "对话", memories: "记忆", timeline: "时间线", namespace: "命名空间", key: "密钥",
    send: "提问", stop: "停止", remember: "记住这次对话", fresh: "新会话",
    behind: "回答的依据", behindHint: "提问之后，这里会显示回答所依据的记忆。",
    question: "问问你的记忆……", search: "搜索", words: "按含义、词语、数字或日期搜索……",
    write: "记住", text: "写下要记住的内容……", more: "更多",
    timelineHint: "每个点是一条记忆，按说出的先后排列，高度是它现在的权重。箭头从旧事实指向取代它的新事实。",
    edit: "编辑", history: "历史", forget: "忘记", source: "原文", save: "保存", cancel: "取消", close: "关闭",
    forgetSure: "要彻底删除这条记忆及其历史和原文吗？此操作无法撤销。",
    superseded: "已被取代", pinned: "已固定", pending: "等待向量", score: "得分", why: "为什么找到它",
    matched: "吻合", missing: "缺少", conflicting: "矛盾", cited: "被引用",
    abstained: "记忆中没有答案", degraded: "降级回答", unsupported: "记忆中没有依据", supported: "已与记忆核对",
    confidence: "置信度", strict: "精确", fast: "概要", tokens: "词元", saved: "节省", scanned: "已比较",
    keyAsk: "此服务器需要 API 密钥。密钥只保存到关闭此标签页为止。", keyLabel: "API 密钥",
    none: "这里还没有内容。", nothingFound: "没有找到。", written: "已记住。", edited: "已保存。", forgotten: "已忘记。",
    failed: "操作未成功", shown: (n) => `显示 ${n} 条`, found: (n) => `找到 ${n} 条`, offline: "无法连接服务器。",
    versions: { write: "写入", edit: "编辑", supersede: "被取代", reopen: "重新有效", pin: "固定", embed: "建立索引" },
    weight: "权重", until: "至", noDates: "还没有可以画的内容。", parts: "得分的组成",
    part: {
      lexical: "相同词语", dense: "含义", neighbours: "前后轮次", reply: "对它的回答", speaker: "说话人",
      assistant: "复述", asks: "只是提问", when: "所问的时间", inertia: "会话走向", anchors: "数字、日期、名称",
      late: "逐词比对", evenly: "各词均匀", together: "与邻句合看", covered: "覆盖的词语",
      beside: "邻近佳句", notions: "相关概念", chatter: "闲聊", session: "所属会话", told: "陈述而非提问",
      current: "较新版本", decay: "时间衰减", unread: "未细看", reread: "重读",
    },
  },
};

let language = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export const word = (key) => WORDS[language][key];
export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");
export const otherLanguage = () => (language === "zh" ? "English" : "中文");

export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
}

/** Puts the words of the language into every element that names one. */
export function translate() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  document.getElementById("question").placeholder = word("question");
  document.getElementById("words").placeholder = word("words");
  document.getElementById("text").placeholder = word("text");
  document.getElementById("language").textContent = otherLanguage();
}

const day = (options) => new Intl.DateTimeFormat(locale(), options);
export const dated = (moment) => day({ dateStyle: "medium" }).format(new Date(moment));
export const timed = (moment) => day({ dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));
