"""Chinese rules. Patterns run over folded (simplified, half-width) sentences.

A clause without a subject continues the speaker's own ("换工作了,现在在X上班"), never somebody else's, and a record of
the form "name attribute: value" states nothing about the speaker.
"""

from __future__ import annotations

import re

from aim_memory.mirror.rules import (
    Clause,
    Reader,
    Rule,
    amount_value,
    chosen,
    date_value,
    digits_value,
    figure_value,
    identifier_value,
    money_value,
    named_value,
    sum_value,
    text_value,
    time_value,
)

_HAN = r"[\u4e00-\u9fff]"

# --- subjects -------------------------------------------------------------------------------------------------------
_KIN = (
    "(?:哥哥|姐姐|弟弟|妹妹|爸爸|妈妈|爸妈|父母|父亲|母亲|老公|老婆|丈夫|妻子|先生|太太|女儿|儿子|男朋友|女朋友|男友|女友|室友|"
    "奶奶|爷爷|外公|外婆|哥|姐|爸|妈|孩子|老板)"
)
_SOON = (
    "(?:现在|目前|如今|已经|刚刚?|最近|终于|前几天|今天|昨天|上周|上个?月|这个?月|这周|今年|前天|还是|依然|仍然|一直|"
    "也|都|正式|又|才|就|还(?=单身|住|在|开|用))*"
)
_OPEN = "(?:^|(?<=[,;。!]))"
_WHO = rf"(?:(?P<me>我们家?|我|咱们?|俺)|(?:我(?:的|家)?)?(?P<kin>{_KIN})|{_OPEN}(?P<name>{_HAN}{{2,3}}?))"
_SELF = rf"(?:{_OPEN}{_SOON}|{_WHO}{_SOON})"
_WHOSE = (
    rf"(?:(?P<me>我们?的?|咱们?的?)|(?:我(?:的|家)?)?(?P<kin>{_KIN})的?|{_OPEN}(?P<name>{_HAN}{{2,3}}?)的|"
    rf"{_OPEN})(?:现在的|新)?"
)
_DET = r"(?:我们?的?|咱们?的?|这[个台次场]?|那[个台次场]?)?"

# --- values ---------------------------------------------------------------------------------------------------------
_STOP = r"(?=了|,|。|;|!|、|$| |快|呢|吧|啦)"
_ORG = (
    r"(?!家|路上|外地|外面|这里|这儿|那里|哪|咖啡|酒店|床上|网上|图书馆|地铁|车上|办公室)"
    r"(?P<value>[^,。;!、\s了在的是着]{2,14}?)"
)
_PLACE = (
    r"(?!酒店|宾馆|宿舍|学校|医院|这|那|哪|一|朋友|同学|家里|楼|新家|新房|民宿|旅馆|他|她|别人)"
    rf"(?P<value>[\u4e00-\u9fffA-Za-z]{{2,10}}?)(?=住|已|有|的|{_STOP[3:]}"
)
_BECOMES = r"(?:现在)?(?:是|为|(?:改|换|变|调整?|更新)(?:成|为|到)了?|已经?(?:改|换|变)(?:成|为)了?)(?::| )?"
_PHRASE = rf"(?P<value>[^,。;!]+?){_STOP}"
_ADDRESS = r"(?P<value>[^,。;!]*\d[^,。;!]*?)(?=了|,|。|;|!|$)"
_JOBS = (
    "师|员|经理|主管|主任|编辑|护士|护士长|医生|老师|律师|司机|会计|导演|总监|助理|教授|记者|作家|演员|警察|厨师|销售|客服|教练|顾问|"
    "翻译|校长|财务|出纳|前台|店长|馆长|组长|队长|部长|产品|运营|开发|测试|策划|文员|秘书|护工|木匠|电工|画家|歌手|农民|负责人"
)
_JOB = rf"(?:一[名个位])?(?P<value>[\u4e00-\u9fffa-z]{{0,8}}?(?:{_JOBS}))(?=啦|{_STOP[3:]}"
_STATES = {
    "单身": "single",
    "结婚": "married",
    "已婚": "married",
    "离婚": "divorced",
    "离异": "divorced",
    "订婚": "engaged",
}
_STATES |= {"领证": "married", "分手": "single"} | dict.fromkeys(
    ("有男朋友", "有女朋友", "有对象", "脱单"), "partnered"
)
_STATE = r"(?P<value>单身|结婚(?=了|,|。|!|$)|已婚|离异|有男朋友|有女朋友|有对象|(?:离婚|订婚|脱单|领证|分手)(?=了))"
_DIETS = {"吃素": "vegetarian", "素食": "vegetarian", "纯素": "vegan", "不忌口": "everything", "什么都吃": "everything"}
_DIETS |= {"素食者": "vegetarian", "纯素食者": "vegan", "吃纯素": "vegan"}
_NUMBER = r"(?P<value>[¥$]?[\d一二两三四五六七八九十百千万].*)"

# --- things ---------------------------------------------------------------------------------------------------------
_EVENTS = (
    "会议|例会|早会|晚会|周会|家长会|读书会|分享会|发布会|聚会|聚餐|预约|课|班|手术|航班|飞机|火车|高铁|面试|笔试|婚礼|考试|体检|复查|"
    "复诊|演出|音乐会|比赛|彩排|排练|饭局|约会|生日会|电话会|评审|答辩|检查|治疗|咨询|培训|活动|讲座|典礼|派对|马拉松|展览|试镜|直播|开会"
)
_EVENT = rf"{_DET}(?P<thing>[\u4e00-\u9fffA-Za-z]{{0,8}}?(?:{_EVENTS}))(?:时间)?"
_SET = (
    "(?:从[^,。]{1,12})?(?:又|已经?|被|临时|还是|,)*(?:改期到|改到|改成|改在|改为|推迟到|推迟至|延期到|延到|延后到|提前到|挪到|"
    "调到|调整到|调整为|换到|移到|顺延到)了?|(?:现在)?(?:是|在|定在|安排在|排在|约在|订在|就在|定于|安排到|时间是|是在)"
    "|(?=每周|每个?星期|每个?礼拜|每天|每月|现在是|周|下周|这周|上午|下午|晚上|早上)(?:现在是)?"
    "|[^。]{0,12}时间(?:也|又)?[变改]了,?"
)
_COSTS = (
    r"(?:从[^,。]{1,12})?(?:每个?月|一个月|每年)?(?:现在|已经|又)?(?:涨价了?,?(?:现在)?|降价了?,?(?:现在)?)?(?:每个?月|一个月)?"
    r"(?:是|要价|卖|只要|涨到|降到|升到|提高到|降低到|提到|调到|改成|改到|变成|定为|定在|为|每月|每个月)了?(?:每个?月|每人)?"
    r"(?:大约|大概|约)?"
)
_SUMS = (
    "房租|租金|工资|月薪|年薪|薪水|预算|学费|年费|会费|月费|门票|票价|押金|定金|房价|价格|报价|车票|机票|物业费|停车费|年卡|月卡|"
    "存款|奖学金"
)
_MEASURES = rf"(?P<what>目标体重|体重|身高|[\u4e00-\u9fffa-z]{{1,4}}成绩|最好成绩|血压|{_HAN}{{0,6}}目标|剂量|药量)"
_CONTACT = r"(?:手机号码?|电话号码?|手机|电话|号码|联系方式|联系电话)"
_NICKNAME = re.compile("[小老阿大][\u4e00-\u9fff]")


def _called(clause: Clause, start: int, end: int) -> str | None:
    """A name, or a pet name ("阿杰")."""
    called = clause.text[start:end]
    return called if _NICKNAME.fullmatch(called) else named_value(clause, start, end)


_phone, _email = identifier_value("phone"), identifier_value("email")


def _rule(attribute: str, cues: str, pattern: str, read: Reader, *, scheduled: bool = False) -> Rule:
    return Rule(attribute, tuple(cues.split("|")), pattern, read, scheduled)


_WORK = (
    _rule("employer", "在", rf"{_SELF}在{_ORG}(?:上班|工作(?!了?[一二两半几\d]|到)|任职|供职|教书|当班)", text_value),
    _rule("employer", "做", rf"{_SELF}在{_ORG}(?=(?:做|当|担任)[^,。]{{0,8}}?(?:{_JOBS})(?:,|。|!|$|了))", text_value),
    _rule(
        "employer",
        "职|跳槽|加入|换到",
        rf"{_SELF}(?:就职于|任职于|供职于|入职了?|跳槽到了?|加入了?|换到了?){_ORG}{_STOP}",
        text_value,
    ),
    _rule(
        "employer",
        "公司|单位|雇主",
        rf"{_WHOSE}(?:公司|单位|雇主){_BECOMES}(?P<value>[^,。;!\s的]{{2,14}}?){_STOP}",
        text_value,
    ),
    _rule(
        "job",
        "是|当|做|成了|升|转",
        rf"{_SELF}(?:是|当上了?|做了?|成了|升为|升任|升了?|晋升为|转岗做|转行做了?|转做|担任){_JOB}",
        text_value,
    ),
    _rule("job", "职|岗位|头衔", rf"{_WHOSE}(?:职位|职务|岗位|头衔|职业){_BECOMES}{_JOB}", text_value),
)
_HOME = (
    _rule(
        "home", "住在|搬|居", rf"{_SELF}(?:住在|搬到|搬去|搬来|搬家到|定居在|移居到?|定居|搬回)了?{_PLACE}", text_value
    ),
    _rule(
        "home", "定居|生活|安家", rf"{_SELF}在(?P<value>{_HAN}{{2,6}}?)(?:定居|生活|安家)(?=了|,|。|!|$)", text_value
    ),
    _rule("home", "家", rf"{_SELF}家(?:现在)?在{_PLACE}", text_value),
    _rule(
        "address",
        "址",
        rf"{_WHOSE}(?:新|家庭|收货|收件|现在的|邮寄|家)*(?:住址|地址){_BECOMES}{_ADDRESS}",
        digits_value,
    ),
    _rule("address", "寄到", rf"(?:快递|包裹)(?:都|就|请)?寄到{_ADDRESS}", digits_value),
)
_REACH = (
    _rule(
        "phone",
        "手机|电话|号码|联系",
        rf"{_WHOSE}(?P<what>公司|家里|家庭|单位|办公室|工作)?的?(?:新)?{_CONTACT}{_BECOMES}(?P<value>\+?\d.*)",
        _phone,
    ),
    _rule(
        "phone",
        "换",
        rf"{_WHOSE}(?:换了?(?:新|个)?)(?:手机)?号码?了?,?(?:新)?(?:手机)?(?:号码?|电话)?(?:是|:)?(?P<value>\+?\d.*)",
        _phone,
    ),
    _rule(
        "phone",
        "换",
        r"(?:号码?|电话)(?:也|都|已经)?换了,[^。!]{0,20}?(?:现在|新)(?:用|的?是)(?P<value> ?\+?\d.*)",
        _phone,
    ),
    _rule(
        "email",
        "@",
        rf"{_WHOSE}(?P<what>公司|工作|学校)?的?(?:新)?(?:电子)?(?:邮箱|邮件)(?:地址)?{_BECOMES}(?P<value>[^\s]+@.*)",
        _email,
    ),
    _rule("email", "@", r"发(?:到|给)?我?的?(?P<me>邮箱)(?:是|:)? ?(?P<value>[^\s]+@.*)", _email),
)
_AGE = r"(?P<value>(?:\d{1,3}|[一二三四五六七八九十]{1,3})岁)(?=了|啦|,|。|;|!|、|$| )"
_PERSON = (
    _rule("age", "岁", rf"{_SELF}满?{_AGE}", amount_value),
    _rule("age", "岁", rf"{_OPEN}{_DET}(?P<thing>{_HAN}{{1,4}}?)(?:今年|现在|已经|刚|满)+{_AGE}", amount_value),
    _rule(
        "relationship",
        "单身|婚|朋友|对象|脱单|领证|分手|离异",
        rf"{_SELF}(?:[和跟]{_HAN}{{1,4}})?(?:是)?{_STATE}",
        chosen(_STATES),
    ),
    _rule(
        "diet",
        "素|忌口|都吃",
        rf"{_SELF}(?:是|开始|改)?(?P<value>吃素|吃纯素|素食者|纯素食者|不忌口|什么都吃)",
        chosen(_DIETS),
    ),
    _rule(
        "person",
        "导师|房东|经理|主管|领导|老板|医生|教练|班主任|家教|咨询师",
        rf"{_WHOSE}(?P<what>导师|房东|经理|主管|领导|老板|医生|(?:健身|驾校|游泳|瑜伽)?教练|班主任|家教|主治医生|心理咨询师)"
        rf"(?:{_BECOMES}|叫)(?P<value>{_HAN}{{2,5}}?)(?=了|,|。|;|!|$)",
        _called,
    ),
)
_HAS = (
    _rule(
        "belonging car", "开的", rf"{_SELF}开的(?:车)?是(?:一辆|辆)?(?P<value>[^,。;!\s的]{{2,12}}?){_STOP}", text_value
    ),
    _rule(
        "belonging",
        "车|手机|电脑|笔记本|相机",
        rf"{_WHOSE}(?P<what>车|手机|电脑|笔记本|相机|自行车){_BECOMES}(?:一[辆台部]|辆)?(?![昨今前坏新旧红黑白蓝不我在谁买借\d])"
        r"(?P<value>[^,。;!的]{2,16}?)(?=了|,|。|;|!|$)",
        text_value,
    ),
    _rule(
        "belonging car",
        "换车|换了车|新车",
        rf"(?:{_WHO}{_SOON})?(?:换了?|买了?)(?:辆|台)?(?:新)?车了?,?(?:现在|如今)?开(?:的是|上了?|着)?(?:一辆|辆)?"
        r"(?P<value>[^,。;!\s的会始]{2,12}?)(?=了|,|。|;|!|$)",
        text_value,
    ),
    _rule(
        "belonging",
        "用的",
        rf"{_SELF}用的(?P<what>电脑|手机|笔记本|相机)是(?P<value>[^,。;!的]{{2,16}}?)(?=了|,|。|;|!|$)",
        text_value,
    ),
    _rule(
        "favourite",
        "最",
        rf"{_SELF}(?:现在)?最(?:喜欢|爱|中意)的(?P<what>{_HAN}{{1,4}}?){_BECOMES}(?P<value>[^,。;!]{{1,14}}?)(?=了|,|。|;|!|$)",
        text_value,
    ),
    _rule(
        "version",
        "用|升|换|迁移|更新|跑",
        r"(?:用的?是?|升级到了?|升到了?|换成了?|迁移到了?|更新到了?|跑的是)(?P<thing>[a-z][a-z.+#]*) "
        r"?(?P<value>v?\d+(?:\.\d+)*)",
        text_value,
    ),
    _rule(
        "version",
        "是|升|更新",
        rf"{_DET}(?P<thing>{_HAN}{{2,6}}?)(?:目前|现在|已经)?(?:是|升级到了?|升到了?|更新到了?)(?P<value>v?\d+(?:\.\d+)+)版本?",
        text_value,
    ),
)
_AMOUNTS = (
    _rule(
        "price", "元|块|¥|$|美金|欧|镑", rf"{_OPEN}{_DET}(?P<thing>{_HAN}{{1,10}}?)(?:{_COSTS}){_NUMBER}", money_value
    ),
    _rule("price", _SUMS, rf"{_OPEN}{_DET}(?P<thing>{_HAN}{{0,6}}?(?:{_SUMS}))(?:{_COSTS})?{_NUMBER}", sum_value),
    _rule(
        "measure", "体重|身高|成绩|血压|目标|量", rf"{_WHOSE}{_MEASURES}{_BECOMES}(?P<value>[^,。;!]*)", figure_value
    ),
    _rule("measure", "体重", rf"{_SELF}(?P<what>体重)(?P<value>\d[^,。;!]*)", figure_value),
    _rule("dose", "量", rf"(?P<thing>{_HAN}{{1,4}}?)的?(?:剂量|用量){_BECOMES}{_PHRASE}", text_value),
    _rule("goal", "目标", rf"{_WHOSE}目标{_BECOMES}(?P<what>[^\d,。]+?)(?P<value>\d[^,。;!]*)", figure_value),
    _rule(
        "measure",
        "目标",
        rf"{_OPEN}{_DET}(?P<thing>{_HAN}{{2,6}}目标)(?:是|提高到|调到|改成|降到|定为)了?(?P<value>[^,。;!]+)",
        figure_value,
    ),
)
_DAY = r"(?P<value>(?:下|这|本|上)?周[一二三四五六日天](?=交)|\d{1,2}月\d{1,2}[日号](?=(?:之?前)?交))"
_TIMES = (
    _rule(
        "deadline",
        "截止|期限",
        rf"{_DET}(?P<thing>{_HAN}{{1,8}}?)的?(?:截止日期|截止时间|截止|最后期限|期限)"
        r"(?:是|到|在|为|延到|延长到|延期到|推迟到|改成|改到|提前到|:)了?(?P<value>[^,。;!]+)",
        date_value,
        scheduled=True,
    ),
    _rule(
        "deadline",
        "交",
        rf"{_DET}(?P<thing>{_HAN}{{1,6}}?)(?:要在|改到|得在|推迟到|延到)?{_DAY}",
        date_value,
        scheduled=True,
    ),
    _rule("time", _EVENTS, rf"{_EVENT}(?:{_SET})(?P<value>[^,。;!]+)", time_value, scheduled=True),
)
CHINESE: tuple[Rule, ...] = (*_WORK, *_HOME, *_REACH, *_PERSON, *_HAS, *_AMOUNTS, *_TIMES)
