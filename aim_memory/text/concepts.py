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
mother mum mom mama mummy mommy parent | 妈妈 母亲 我妈 老妈 父母 爸妈 婆婆 岳母
father dad papa daddy parent | 爸爸 父亲 我爸 老爸 父母 爸妈 公公 岳父
sibling sister brother twin | 姐姐 妹妹 哥哥 弟弟 兄弟 姐妹 表姐 表弟 堂
child children kid son daughter baby infant toddler teenager | 孩子 儿子 女儿 小孩 宝宝 娃 小朋友
relative family niece nephew aunt uncle cousin grandmother grandfather granddad grandma grandson | 亲戚 家人 侄 外甥 姑 姨 舅 叔叔 表 奶奶 爷爷 外婆 外公
spouse husband wife partner boyfriend girlfriend fiance fiancee married marry marriage wedding engaged | 丈夫 妻子 老公 老婆 男友 女友 对象 结婚 婚礼 爱人
divorce separate split ex | 离婚 分手 分开
friend mate buddy pal companion | 朋友 闺蜜 哥们 好友 同伴
roommate flatmate housemate dorm lodger | 室友 舍友 合租
colleague coworker workmate teammate crew team staff partner | 同事 团队 组员 搭档 手下
boss manager supervisor chief superior head director leader lead | 老板 上司 经理 领导 主管 总监 主任 负责人 院长
neighbour neighbor nextdoor | 邻居 隔壁
job work profession occupation career position role post employ employer hire living freelance title trade | 工作 职业 单位 公司 上班 职位 岗位 头衔 入职 就职 任职 做什么 干什么 当
job nurse teacher engineer designer editor lawyer developer programmer accountant scientist researcher hydrologist biologist chemist pharmacist paramedic mechanic carpenter electrician plumber chef baker driver pilot librarian journalist writer artist musician architect instructor clerk salesman consultant analyst | 护士 老师 教师 工程师 设计师 编辑 律师 程序员 会计 科学家 药师 司机 厨师 作家 画家 记者 医生 教授 店员 研究员
company firm employer startup business agency enterprise corporation | 公司 单位 企业 出版社 工厂 机构 店
client customer patron account | 客户 顾客 甲方
begin start join onboard commence first launch open opening | 开始 入职 加入 起 开张 开业 开工 第一天
end finish stop complete ready deliver done final conclude over close | 结束 完成 交付 做完 停 收尾 最后 截稿
quit resign leave left leaving depart retire retirement farewell | 辞职 离职 离开 退休 告别 走了
promotion promote promoted raise advancement deputy senior | 升职 晋升 提拔 升
apply application applied candidate interview | 申请 应聘 面试 报名
salary pay wage income earn earning compensation offer bonus | 工资 薪水 月薪 年薪 收入 待遇 奖金 年终奖
price cost pay paid spend spent charge fee amount total bill expensive cheap money dollar euro pound worth buck sum expense dear | 价格 价钱 多少钱 花了 花 花费 费用 付 元 块 ¥ 报价 自费 掏 收了 收费 贵 钱
hourly rate charge bill billing quote | 时薪 收费 报价
rent housing lease landlord tenant landlady letting | 房租 租金 租房 房东 押一付三
invoice bill billing outstanding receipt | 发票 账单 收据
accountant accounting bookkeeping bookkeeper ledger audit finances tax | 会计 记账 账目 报税 税
discount bargain reduction cheaper deal negotiate knocked | 打折 优惠 便宜 降价 少收 砍价
refund reimburse return compensate | 退款 报销 退
debt loan mortgage borrow lend lent owe | 贷款 借 欠 房贷
save saving savings afford budget fund | 存钱 攒 积蓄 预算
home house flat apartment live reside residence address street dwelling accommodation settle settled | 住 地址 小区 公寓 房子 家里 住在
move moved moving relocate relocation | 搬家 搬到 搬 迁
city town village location place area district | 城市 城里 镇 地方 区
country abroad foreign overseas | 国家 国外 海外
office desk workplace headquarters | 办公室 办公
room bedroom kitchen bathroom study balcony terrace | 房间 卧室 厨房 浴室 书房 阳台 露台
phone mobile cell cellphone telephone number reach call dial ring | 电话 手机 号码 联系 打给 打电话
mail email inbox write contact correspondence | 邮箱 邮件 电邮 写信 联系
message text chat letter note | 短信 消息 信 微信
password passcode pin wifi credential | 密码 口令
doctor physician medic gp consultant specialist dr | 医生 大夫 医师 主任医
physio physiotherapist physiotherapy therapist rehab rehabilitation | 理疗 康复
vet veterinary veterinarian clinic animal | 兽医 宠物医院
hospital clinic ward infirmary hospitalise | 医院 诊所 病房 住院
counsellor counselor therapy therapist psychologist psychiatrist talk | 心理 咨询
dentist dental tooth teeth | 牙医 牙
surgery operation procedure operate surgeon | 手术 开刀
appointment checkup check visit consultation | 预约 检查 体检 复查 看病
medicine medication drug dose dosage pill tablet prescription painkiller antibiotic mg remedy | 药 剂量 毫克 药片 吃药 消炎
allergy allergic react hives itch itchy rash intolerant intolerance avoid | 过敏 疹子 发痒 起疹 不能吃 不吃
injury injure hurt sore pain ache fracture broke broken sprain strain wound fall fell cast | 受伤 伤 疼 骨折 扭 摔
illness ill sick sickness disease diagnose diagnosis condition arthritis infection symptom flu fever chickenpox parkinson cancer | 生病 病 诊断 症状 发烧 感冒 肺炎
recover recovery heal better cured home discharged | 恢复 康复 好了 痊愈 出院
die died death dead bury buried funeral pass passed | 死 去世 走了 埋 葬
born birth birthday pregnant pregnancy newborn maternity | 出生 生日 怀孕 产假 生了 新生
weight weigh heavy kg kilo kilogram scale pound lb slim | 体重 多重 公斤 斤 称 重
height tall high metre | 身高 高 多高
age old year young birthday | 岁 年龄 多大 年纪
sleep nap night insomnia bed | 睡 失眠 觉
vaccine vaccinate jab injection shot | 疫苗 打针
pet dog puppy hound greyhound breed canine terrier labrador spaniel poodle retriever | 宠物 狗 小狗
pet cat kitten kitty feline breed | 宠物 猫 小猫
bird pigeon dove parrot chick nest egg | 鸟 斑鸠 鸽 鹦鹉 窝 蛋
bee hive honey beekeeping swarm queen | 蜂 蜜
animal creature wildlife | 动物
food eat meal dish diet feed dinner lunch breakfast snack supper | 吃 饭 粮 饮食 喂 零食 早餐 晚饭 午饭 晚餐 菜
vegetarian vegan meat meatless | 素食 吃素 肉
cook cooking recipe bake baked roast cake bread pie | 做菜 做饭 烧 菜谱 学做 面包 蛋糕 烤
ingredient sesame nut milk flour sugar salt butter cheese | 配料 芝麻 牛奶 糖 盐
fruit jam plum apple cherry berry | 水果 果酱 苹果
vegetable pepper tomato garlic spinach | 蔬菜 辣椒 番茄 蒜 菠菜
drink tea coffee beer wine juice | 喝 茶 咖啡 酒 奶茶
restaurant cafe bakery bar pub diner canteen | 餐厅 饭馆 咖啡馆 店 馆子
travel trip holiday vacation journey tour visit getaway break | 旅行 旅游 度假 休假 假期 年假 出行 玩 旅途
flight plane airline airport fly layover stopover depart | 航班 飞机 机票 机场 转机
train rail railway station carriage | 高铁 火车 动车 车次 列车 车站
bus coach tram subway metro transport | 公交 地铁 巴士
boat ship ferry narrowboat sail canal vessel | 船 渡轮
hotel hostel stay guesthouse lodging farmhouse cabin airbnb inn night | 酒店 民宿 住处 住宿 宾馆 旅馆
car vehicle van truck drive driving rental auto | 汽车 开车 租车 轿车 车
bicycle bike cycle cycling ride wheel | 自行车 单车 骑车 骑行 轮子
commute ride door trip way | 通勤 上班路上 路上 路程
luggage suitcase bag backpack pack | 行李 箱子 包
lose lost left misplace forget forgot missing mislaid | 丢 落在 忘 遗失 弄丢 失物 掉
find found discover recover | 找到 发现 捡
book booking order reserve reservation confirmation reference booked | 订单 预订 预定 订了 单号 订
ticket seat fare admission | 票 座
deadline due cutoff date finish deliver ready submit hand deliverable | 截止 期限 交付 交稿 之前 日期
schedule calendar timetable slot when | 日程 安排 时间表 排班
shift roster nights duty | 夜班 值班 排班 值夜 班次
meet meeting gather together club group session gathering | 聚会 开会 见面 碰头 聚 小组
class course lesson enrol enroll tuition tutor workshop | 课 上课 课程 班 报名 培训
postpone delay reschedule push pushed moved changed instead later forward | 推迟 改到 延期 推后 改成 往后 延到 挪
cancel cancelled canceled off scrap drop abandon withdraw call | 取消 不去 没去 作罢 放弃 没成
plan intend aim target goal hope ambition intention wish dream | 计划 打算 目标 希望 想要 梦想 愿望
decide decision choose chose choice pick settle opt | 决定 选 选择 定了
accept agree yes sign signed contract | 接受 同意 签 合同 答应
refuse reject decline deny no turned | 拒绝 不要 没答应
exam test score result grade mark pass certificate qualify qualification | 考试 成绩 分数 考 出分 得分 证书 过了
school classroom pupil primary secondary | 学校 小学 中学 班级
university college degree study student campus | 大学 学院 学生 读书 专业
study learn practise practice revise | 学习 学 练 复习 备考
teach teacher lecturer instructor professor tutor coach mentor | 教 老师 教师 讲师 教练 师傅
book novel read reading story author title saga literature | 书 小说 读 看书 作者 翻
bookshop bookstore library shop | 书店 图书馆
music song band listen concert album jazz soul tune | 音乐 歌 唱片 演唱会 曲
instrument guitar piano cello violin fiddle drum erhu play | 乐器 吉他 钢琴 大提琴 小提琴 二胡 琴 弹 拉
perform performance stage show recital play | 演出 表演 上台
film movie series cinema watch television | 电影 电视剧 片子
paint draw sketch picture art drawing | 画 画画 速写
photo photograph camera picture | 照片 相机 拍
run running jog race marathon pace | 跑 跑步 马拉松
swim swimming pool | 游泳 泳池
hike hiking climb mountain trail walk | 爬山 登山 徒步 山 散步
ski skiing slope snow snowboard | 滑雪 雪
tent camp camping | 帐篷 露营
football soccer goalkeeper tennis basketball match | 足球 篮球 网球 比赛
hobby interest pastime craft pottery leisure | 爱好 兴趣 手工
sport exercise training workout gym fitness train | 运动 锻炼 健身
app software release version build launch ship tag beta | 应用 软件 版本 发布 上线 App
database server host hosting backup cloud data | 数据库 服务器 备份 云
network router connection internet connectivity | 网络 路由 连接
migrate migration switch cutover transfer transition | 迁移 切换 转移
trial pilot rehearsal prototype test experiment | 试点 演练 试 样机
error bug fault problem failure issue outage crash | 错误 故障 问题 毛病
cause reason why because due | 原因 为什么 因为 由于
device gadget sensor hardware handheld instrument machine equipment | 设备 传感器 仪器 机器
screen display panel monitor | 屏幕 显示
battery charge power runtime | 电池 电量 续航
computer laptop pc keyboard | 电脑 笔记本 键盘
telescope binocular lens | 望远镜 镜
link url website site page online http https | 网址 链接 网站 主页
increase rise grow growth gain up climbed | 涨 增长 上升 增加 提高
decrease fall fell drop decline reduce reduction lower cut half less shrink | 降 下降 减 减少 降低 少了
buy bought purchase get acquire order obtain | 买 购买 入手 购置
sell sold sale selling | 卖 出售
gift present give gave donate | 礼物 送
build built make made create construct assemble produce | 做 造 搭 制作 打
replace replaced replacement swap exchange substitute new | 换 更换 替换 换成
repair fix mend broken patch service | 修 维修 坏 修好
material wood steel plastic paper metal oak pine spruce cherry board | 材料 木 钢 布 纸
like love enjoy prefer favourite favorite fond adore keen | 喜欢 爱 最爱 偏爱
dislike hate avoid detest refuse complain | 讨厌 不喜欢 避免 抱怨
fear afraid scared frightened terrified | 怕 害怕 恐惧
worry nervous anxious concern anxiety | 紧张 担心 心慌 忧
happy glad delighted pleased joy thrilled | 高兴 开心 乐
sad upset cry cried unhappy | 难过 伤心 哭
angry cross annoyed furious | 生气 气
weather temperature warm cold hot degree rain wind | 天气 温度 气温 度 雨 风 冷 热
colour color green blue red black white grey gray orange yellow purple brown pink | 颜色 绿 蓝 红 黑 白 灰 橘 黄 紫
size big large small dimension | 大小 尺寸 大 小
distance far km mile kilometre kilometer metre meter | 距离 公里 多远 路程
duration long minute hour day week | 多久 分钟 小时 多长时间
often frequency weekly daily every twice | 多久一次 每周 每天 每月 经常
early late morning evening night noon hour clock | 早上 晚上 中午 点 几点
clothing clothes jacket coat sock shirt shoe hat dress scarf slipper | 衣服 外套 鞋 帽子 围巾
umbrella parasol | 伞
jewellery ring watch necklace | 首饰 戒指 手表
passport visa licence license identity | 护照 签证 证件 身份证 驾照
insurance insure coverage policy | 保险 医保
bank account card | 银行 账户 卡
care carer look mind sit sitter babysit watch feed after | 照顾 喂 帮忙 照看 看家 带
guest visitor invite host party celebrate celebration | 客人 请客 聚会 庆祝 派对
fair exhibition expo show conference exhibit trade | 展 展会 书展 展览 会议
probation trial | 试用期 试用
register registered user member sign subscriber | 注册 用户 会员
percent percentage share proportion rate | 百分 比例 %
win won prize award medal trophy | 赢 奖 奖牌 获奖
lose lost fail failed failure | 输 失败 没过
game match toy | 游戏 玩具
garden plant tree flower grow harvest | 花园 植物 树 花 种 收成
furniture floor carpet sofa table chair curtain bench shelf | 家具 地板 地毯 沙发 窗帘 桌 椅
stair step staircase elevator lift | 楼梯 台阶 电梯
clean cleaning vacuum wash tidy | 打扫 清洁 吸尘器 洗
headphone earphone headset earbud audio | 耳机
eye vision sight glasses cataract | 眼睛 视力 眼镜 白内障
leg knee shin tibia hip ankle foot bone | 膝 腿 脚 踝 骨
arm hand wrist finger shoulder | 手 手腕 胳膊 手指 肩
head jaw face mouth neck | 头 下巴 脸 嘴
back spine waist | 背 腰
language english japanese french spanish german chinese | 语言 英语 日语 法语 中文
subject maths mathematics physics geography history science | 语文 数学 物理 地理 历史 科目 学科
fish seafood shrimp crab | 海鲜 鱼 虾 蟹
lake sea river ocean beach coast water | 湖 海 河 江 水 海边
name call called title nickname | 名字 叫 取名 名叫 姓
mean meaning explain definition | 意思 解释
news happen happened event become | 消息 发生 事 怎么样了
advice suggest recommend tip suggestion recommendation should | 建议 推荐 应该
rule condition criterion requirement term | 条件 要求 规定 规则
permission access allow allowed permit | 权限 允许 准
store storage keep kept retain | 存 保存 保留 放
volunteer charity donate | 志愿 公益
music record vinyl | 唱片
ambulance emergency paramedic fire police | 急救 救护 消防 警察
pharmacy pharmacist chemist | 药房 药师
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
