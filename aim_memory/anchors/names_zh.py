"""Names in Chinese text: people by surname and context, titles in 《》, organisations by their last characters,
well-known places, streets, and foreign names with a middle dot.

Without a segmenter a surname alone proves nothing, so a person needs a word beside the name that only goes with people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aim_memory.anchors.surface import Surface

_SURNAME = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹"
    "熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿"
    "梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁"
)
_FAMILY = f"(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|[{_SURNAME}])"
_NOT_GIVEN = (
    "的了在是和都也就不没有说去来到吗呢吧啊我你他她它们这那要会能把被给让跟与或但而很太还又才只上下里外中前后年月日天点时分个些什么"
    "怎哪谁多少今昨每次位名岁先生女士师"
)
_GIVEN = rf"[^{_NOT_GIVEN}\W\da-z_]"
_TITLES = (
    "先生|女士|小姐|老师|医生|大夫|教授|经理|主任|总监|总|阿姨|叔叔|师傅|同学|律师|护士|博士|院长|校长|老板|姐|哥|"
    "奶奶|爷爷"
)
_VERBS = (
    "说|跳|换|辞|入职|升|告诉|觉得|认为|喜欢|住在|搬|来了|去了|给我|请我|叫我|问我|约我|打电话|发|跟我|和我|送|推荐|结婚|毕业|出生|在|结|吃|见|"
    "聊|开|一|跑|做|买|教|带|帮|学|当|订|离|生|打|看|写|拿|养|爱|想|怕"
)
_CUES = (
    "叫做?|名叫|名字是|同事|朋友|同学|室友|邻居|老公|老婆|男友|女友|男朋友|女朋友|儿子|女儿|姐姐|妹妹|哥哥|弟弟|表弟|表妹|表哥|表姐|我是|认识|"
    "联系|@"
)
_WEAK_CUES = "找|跟|和|给|问|约|陪|由|请"
_PERSON = re.compile(
    rf"(?:{_CUES})(?P<led>{_FAMILY}{_GIVEN}{{1,2}}?)(?=[{_NOT_GIVEN},，。.!！?？、；;:：\s()（）]|{_VERBS}|$)"
    rf"|(?:{_WEAK_CUES})(?P<beside>{_FAMILY}{_GIVEN}{{1,2}}?)(?={_VERBS})"
    rf"|(?P<titled>{_FAMILY}{_GIVEN}{{0,2}}?(?:{_TITLES}))(?!理|结)"
    rf"|(?:^|[,，。!！?？；;、\s])(?P<opening>{_FAMILY}{_GIVEN}{{1,2}})(?={_VERBS})"
    rf"|(?P<nick>[小老阿](?![时区段费路康熊包柴单曲毛白成常])[{_SURNAME}])(?={_VERBS}|[,，。!！?？、和跟的也]|$)"
)
_TITLE = re.compile(r"《([^》\n]{1,40})》")
_FOREIGN = re.compile(r"[\u4e00-\u9fff]{1,5}(?:[·•・][^\W\da-z_的了在是和都也写说演唱拍导著与等]{1,6})+")
_PLACES = (
    "北京|上海|广州|深圳|杭州|南京|苏州|成都|重庆|武汉|西安|天津|长沙|郑州|青岛|大连|厦门|宁波|无锡|合肥|福州|济南|昆明|沈阳|哈尔滨|"
    "长春|石家庄|南昌|南宁|贵阳|太原|兰州|乌鲁木齐|拉萨|西宁|银川|海口|三亚|珠海|佛山|东莞|香港|澳门|台北|高雄|台中|台南|新竹|台湾|"
    "浙江|江苏|广东|福建|四川|云南|贵州|湖南|湖北|河南|河北|山东|山西|陕西|甘肃|青海|新疆|西藏|内蒙古|黑龙江|吉林|辽宁|安徽|江西|广西|海南|"
    "中国|美国|英国|法国|德国|日本|韩国|泰国|越南|新加坡|马来西亚|澳大利亚|加拿大|意大利|西班牙|俄罗斯|印度|巴西|瑞士|荷兰|"
    "东京|大阪|京都|首尔|曼谷|纽约|洛杉矶|旧金山|西雅图|波士顿|芝加哥|伦敦|巴黎|柏林|慕尼黑|罗马|悉尼|墨尔本|温哥华|多伦多|莫斯科|迪拜"
)
_PLACE = re.compile(f"(?:{_PLACES})(?!话|菜|人民币)")
_ORGANISATION = re.compile(
    r"(?:在|去|到|从|住|于|位于|来自|加入|是|回|离|进|毕业于|就职于|入职|就读于)"
    r"([^的了在是和都也去到从,，。!！?？、；;:：\s一这那哪个我你他她几某]{2,8}?"
    r"(?:大学|学院|中学|小学|医院|公司|集团|银行|出版社|机场|火车站|车站|公园|酒店|餐厅|书店|超市|广场|博物馆|图书馆|咖啡馆|健身房|"
    r"事务所|研究所|工作室|科技|大厦))|([^\W\da-z_的了在是住到去从于]{1,4}(?:路|街|大道|巷)\d+号?)"
)


def chinese_names(surface: Surface) -> Iterator[tuple[int, int, str]]:
    """(start, end, key) of each name."""
    if not surface.cjk:
        return
    text = surface.lower
    for match in _TITLE.finditer(text):
        yield match.start(), match.end(), match[1]
    for pattern in (_FOREIGN, _ORGANISATION, _PERSON, _PLACE):
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            yield start, end, text[start:end]
