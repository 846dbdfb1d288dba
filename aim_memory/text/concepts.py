"""Everyday notions that people put in many words: "rent" and "landlord", 房租, or "painkiller", "mg" and 药.

A small thesaurus, one notion a line, English then Chinese. It lets a question meet a statement that shares no word with
it, also across the two languages. It is deliberately coarse: it may only support other evidence, never replace it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from aim_memory.text.fold import fold
from aim_memory.text.terms import analyse

_NOTIONS = """
mother mum mom mama parents | 妈妈 母亲 我妈 老妈 父母 爸妈
father dad papa parents | 爸爸 父亲 我爸 老爸 父母 爸妈
sibling sister brother twin | 姐姐 妹妹 哥哥 弟弟 兄弟 姐妹
child children kid son daughter baby niece nephew toddler | 孩子 儿子 女儿 小孩 宝宝 侄 外甥
spouse husband wife partner boyfriend girlfriend fiance married marry wedding | 丈夫 妻子 老公 老婆 男友 女友 对象 结婚 婚礼
friend roommate flatmate mate buddy pal | 朋友 室友 闺蜜 哥们 老同学
colleague coworker workmate teammate | 同事
boss manager supervisor chief superior | 老板 上司 经理 领导 主管 总监
job work profession occupation career position role employer employ living hire freelance self-employed | 工作 职业 单位 公司 上班 职位 岗位 头衔 入职 就职 任职
company firm employer startup business client customer | 公司 单位 企业 出版社 工厂 客户
begin start join onboard commence | 开始 入职 加入 起
end finish stop complete ready deliver done | 结束 完成 交付 做完
quit resign leave left depart | 辞职 离职 离开
salary pay wage income earn compensation offer | 工资 薪水 月薪 年薪 收入 待遇
price cost pay paid spend spent charge fee amount total bill expensive cheap money dollar euro pound | 价格 价钱 多少钱 花了 花费 费用 付 元 块 ¥ 报价 自费 掏
rent housing lease landlord tenant | 房租 租金 租房 房东 押一付三
invoice bill billing outstanding | 发票 账单
accountant accounting bookkeeping bookkeeper books accounts tax | 会计 记账 账目 报税
discount bargain reduction cheaper | 打折 优惠 便宜 降价
home house flat apartment live reside residence address street move dwelling | 住 地址 搬家 搬到 小区 公寓 房子 家里
city town village | 城市 城里 镇
office desk workplace | 办公室 单位
phone mobile cell telephone number reach call | 电话 手机 号码 联系 打给
mail email inbox write contact correspondence | 邮箱 邮件 电邮 写信
password passcode pin wifi | 密码 口令
doctor physician physio physiotherapist therapist vet veterinary veterinarian clinic hospital nurse dentist surgeon dr | 医生 大夫 医院 兽医 诊所 护士
surgery operation procedure operate | 手术 开刀
medicine medication drug dose dosage pill tablet prescription painkiller mg tablet | 药 剂量 毫克 药片 吃药
allergy allergic react hives itch itchy rash intolerant intolerance | 过敏 疹子 发痒 起疹 不能吃
injury injure hurt sore pain fracture broke broken sprain strain wound | 受伤 伤 疼 骨折 扭
illness ill sick disease diagnose diagnosis condition arthritis infection symptom | 生病 病 诊断 症状 发烧
weight weigh heavy kg kilo kilogram scale pound lb | 体重 多重 公斤 斤 称了
age old year birthday born | 岁 年龄 多大 生日 出生
vaccine vaccinate jab injection | 疫苗 打针
pet dog puppy hound greyhound breed canine | 宠物 狗 小狗
pet cat kitten kitty feline | 宠物 猫 小猫
food eat meal dish diet feed dinner lunch breakfast snack | 吃 饭 粮 饮食 喂 零食 早餐 晚饭 午饭
cook recipe bake roast | 做菜 做饭 烧 菜谱 学做
drink tea coffee beer wine | 喝 茶 咖啡 酒 奶茶
restaurant cafe bakery bar pub | 餐厅 饭馆 咖啡馆 店
travel trip holiday vacation journey tour abroad visit getaway | 旅行 旅游 度假 休假 假期 年假 出行 玩
flight plane airline airport fly layover stopover | 航班 飞机 机票 机场 转机
train rail railway | 高铁 火车 动车 车次 列车
hotel hostel accommodation stay guesthouse lodging farmhouse airbnb inn night | 酒店 民宿 住处 住宿 宾馆 旅馆
car vehicle van truck drive rental | 汽车 开车 租车 轿车
bicycle bike cycle ride | 自行车 单车 骑车 骑行
commute ride door | 通勤 上班路上 路上
lose lost left misplace forget missing | 丢 落在 忘 遗失 弄丢 失物
book booking order reserve reservation confirmation reference | 订单 预订 预定 订了 单号
ticket seat | 票 座
deadline due cutoff date finish deliver ready submit hand | 截止 期限 交付 交稿 之前 日期
meet meeting gather together club group session | 聚会 开会 见面 碰头 聚 小组
class course lesson enrol tuition tutor | 课 上课 课程 班 报名 培训
postpone delay reschedule push pushed move changed instead | 推迟 改到 延期 推后 改成 往后
cancel cancelled off scrap drop abandon withdraw | 取消 不去 没去 作罢 放弃
plan intend aim target goal hope ambition | 计划 打算 目标 希望 想要
exam test score result grade mark pass certificate | 考试 成绩 分数 考了 出分 得分 证书
school university college study student degree | 学校 大学 学院 学习 学生 中学
teach teacher lecturer instructor professor tutor | 教 老师 教师 讲师
book novel read reading story author title saga | 书 小说 读 看书 作者
music song band record listen concert album jazz soul | 音乐 歌 唱片 演唱会
film movie series cinema watch | 电影 电视剧 片子
run running jog race marathon pace | 跑 跑步 马拉松
swim swimming pool | 游泳 泳池
hike hiking climb mountain trail | 爬山 登山 徒步 山
hobby interest pastime craft pottery | 爱好 兴趣 手工
sport exercise training workout gym | 运动 锻炼 健身
app software release version build launch ship tag beta | 应用 软件 版本 发布 上线 App
device gadget sensor hardware handheld instrument | 设备 传感器 仪器
screen display panel paper | 屏幕 显示
battery charge power | 电池 电量 续航
link url website site page online http https | 网址 链接 网站 主页
increase rise grow growth gain up | 涨 增长 上升 增加 提高
decrease fall fell drop decline reduce reduction lower cut half | 降 下降 减 减少 降低
buy bought purchase get acquire order | 买 购买 入手 购置
gift present give gave | 礼物 送
build built make made create construct | 做 造 搭 制作
like love enjoy prefer favourite favorite fond adore | 喜欢 爱 最爱 偏爱
dislike hate avoid detest refuse | 讨厌 不喜欢 避免
fear afraid scared frightened terrified | 怕 害怕 恐惧
worry nervous anxious | 紧张 担心 心慌
weather temperature warm cold hot degree | 天气 温度 气温 度
colour color green blue red black white grey orange | 颜色 绿色 蓝色 红色 橘 白色 灰色
distance far km mile kilometre kilometer metre meter | 距离 公里 多远 路程
duration long minute hour day week | 多久 分钟 小时 多长时间
clothing clothes jacket coat sock shirt shoe hat | 衣服 外套 鞋 帽子
umbrella parasol | 伞
passport visa licence license id | 护照 签证 证件 身份证 驾照
insurance insure coverage | 保险 医保
bank account card loan mortgage | 银行 账户 卡 贷款
mind care look sit babysit watch after | 照顾 喂 帮忙 照看 看家
fair exhibition expo show conference exhibit | 展 展会 书展 展览 会议
exam interview | 面试 笔试
probation trial | 试用期 试用
register registered user member sign | 注册 用户 会员
percent percentage share proportion rate | 百分 比例 %
win won prize award medal | 赢 奖 奖牌
game play match | 游戏 比赛 玩
garden plant tree flower | 花园 植物 树 花
furniture floor carpet sofa table chair curtain | 家具 地板 地毯 沙发 窗帘 桌
clean cleaning vacuum wash tidy | 打扫 清洁 吸尘器 洗
repair fix mend broken | 修 维修 坏
headphone earphone headset earbud | 耳机
computer laptop pc keyboard monitor | 电脑 笔记本 显示器
camera photo picture film | 相机 照片 拍
eye vision sight glasses cataract | 眼睛 视力 眼镜 白内障
knee leg shin tibia hip ankle foot | 膝 腿 脚 踝
language english japanese french spanish german chinese | 语言 英语 日语 法语 中文
fish seafood shrimp crab | 海鲜 鱼 虾 蟹
news happen happened event | 消息 发生 事
"""


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, frozenset[str]], re.Pattern[str], dict[str, frozenset[str]]]:
    english: dict[str, set[str]] = {}
    chinese: dict[str, set[str]] = {}
    for number, notion in enumerate(_NOTIONS.strip().splitlines()):
        left, right = notion.split("|")
        for word in left.split():
            for stem in analyse(word):
                english.setdefault(stem, set()).add(f"~{number}")
        for word in right.split():
            chinese.setdefault(fold(word), set()).add(f"~{number}")
    longest = sorted(chinese, key=len, reverse=True)
    return _frozen(english), re.compile("|".join(map(re.escape, longest))), _frozen(chinese)


def _frozen(table: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    return {word: frozenset(notions) for word, notions in table.items()}


def notions_of(terms: Iterable[str]) -> dict[str, frozenset[str]]:
    """The notions of each analysed term that has any."""
    english, _, _ = _tables()
    return {term: english[term] for term in terms if term in english}


def notions(text: str) -> frozenset[str]:
    """The notions a text touches, as opaque names."""
    english, pattern, chinese = _tables()
    found: set[str] = set()
    for term in analyse(text):
        found |= english.get(term, frozenset())
    for match in pattern.finditer(fold(text)):
        found |= chinese[match.group()]
    return frozenset(found)
