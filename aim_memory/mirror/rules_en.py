"""English rules. Patterns run over folded (lower-case) sentences."""

from __future__ import annotations

from aim_memory.mirror.rules import (
    Reader,
    Rule,
    amount_value,
    chosen,
    date_value,
    digits_value,
    figure_value,
    identifier_value,
    measured_value,
    money_value,
    named_value,
    place_value,
    sum_value,
    text_value,
    time_value,
)

# --- subjects -------------------------------------------------------------------------------------------------------
_KIN = (
    "(?:big |little |older |younger )?(?:brother|sister|mother|father|mom|mum|dad|parents|wife|husband|partner|"
    "boyfriend|girlfriend|son|daughter|boss|roommate|flatmate|grandma|grandpa|grandmother|grandfather|aunt|uncle|"
    "fiance|fiancee)"
)
_NAMED = r"(?P<name>[a-z][\w-]{1,30}(?: (?!and\b|or\b|but\b)[a-z][\w-]{1,30})?)"
_WHO = rf"(?:(?P<me>i|we)|(?:my|our) (?P<kin>{_KIN})|{_NAMED})"
_WHOSE = rf"(?:(?P<me>my|our)|(?:my|our) (?P<kin>{_KIN})'s|{_NAMED}'s)"
_BE = r"(?:'m| am|'re| are|'s| is)"
_HAVE = r"(?:'ve| have|'s| has)?"
_SOON = r"(?: (?:now|just|currently|recently|finally|already|actually|also|both|officially|temporarily))*"
_DOES = rf"{_WHO}{_HAVE}{_SOON}"
_IS = r"(?: is| are|'s)(?: now| currently| still)?"
_NEW = "(?:new |current )?"

# --- values ---------------------------------------------------------------------------------------------------------
_TAIL = (
    r"now|as|since|at|for|and|with|last|this|today|yesterday|these|currently|but|so|because|while|after|before|near|"
    r"anymore|still|two|three|a (?:week|month|year|few)|over|where|which|who|too|again|on"
)
_END = rf"(?= (?:{_TAIL}|in)\b|[,;.!?()]|$)"
_VALUE = rf"(?P<value>[^,;.!?()]+?){_END}"
_TO_NOW = r"(?= now\b| these days|[,;.!?]|$)"
_PLACE = rf"(?:an? [\w -]{{3,20}} in )?(?P<value>[a-z][\w'-]*(?: [a-z][\w'-]*){{0,3}}?)(?= (?:{_TAIL})\b|[,;.!?()]|$)"
_STREET = r"(?P<value>\d[^;.!?]+?)(?= now\b|[;.!?]|$)"
_MONEY = r"(?:about |around |only |just )?(?P<value>[$€£¥]?\d.*)"
_NOT_WORK = (
    r"(?!(?:home|nights?|least|weekends?|the moment|it|them|free|a living|hours?|myself|peanuts|my|me|him|her|you|all|"
    r"fun|money|this|that|a while|the weekend|the same|once|\d)\b)"
)
_JOBS = (
    "accountant actor actress advisor analyst architect artist assistant attorney baker banker barista bartender "
    "biologist bookkeeper builder butcher carpenter cashier chef chemist cleaner clerk coach composer consultant "
    "cook coordinator copywriter counselor curator dentist designer developer director doctor driver economist "
    "editor electrician engineer farmer firefighter florist gardener geologist hairdresser hydrologist illustrator "
    "instructor interpreter inspector janitor journalist judge lawyer lead lecturer librarian manager mechanic "
    "midwife musician nanny nurse officer optician painter paramedic pharmacist photographer physicist "
    "physiotherapist pilot plumber principal producer professor programmer psychologist receptionist recruiter "
    "reporter researcher salesperson scientist secretary server singer solicitor specialist supervisor surgeon "
    "surveyor tailor teacher technician therapist trainer translator tutor vet veterinarian waiter waitress welder "
    "writer zookeeper machinist trader cto ceo cfo"
).split()
_JOB = rf"(?:an? |the )?(?P<value>(?:[a-z][\w-]* ){{0,3}}(?:{'|'.join(_JOBS)}))(?![\w'-]| of\b)"
_STATES = {state: state for state in ("single", "married", "divorced", "separated", "widowed", "engaged")}
_STATES |= dict.fromkeys(("in a relationship", "dating", "seeing someone"), "partnered")
_STATE = (
    r"(?P<value>single(?! ?-| handed)|married(?! to (?:my|the|this|that) (?!wife|husband|partner|best))|"
    r"divorced|separated|widowed|engaged(?! in| with)|in a relationship|"
    r"dating)\b"
)
_DIETS = {diet: diet for diet in ("vegetarian", "vegan", "pescatarian")}
_DIETS |= dict.fromkeys(("eat everything", "eat meat again", "eating meat again"), "everything")

# --- things ---------------------------------------------------------------------------------------------------------
_EVENTS = (
    "appointment appt meeting call class lesson lessons classes flight train bus ferry interview session sessions club "
    "practice rehearsal dinner lunch brunch breakfast party wedding surgery operation exam test standup stand-up "
    "sync game match concert checkup check-up review demo launch webinar workshop delivery pickup hearing evening "
    "viewing inspection ceremony recital seminar conference presentation haircut therapy gig show kickoff retro "
    "consultation scan vaccination funeral graduation tournament race shift"
).split()
_DET = r"(?:(?:my|our|the|his|her|their|this) )?"
_VERB = "(?:was|is|are|has|have|got|will|now|at|on|starts|begins|leaves|meets|moved|to|from|until)"
_EVENT = (
    rf"{_DET}(?P<thing>(?:[\w'&-]{{1,30}} ){{0,5}}?(?:{'|'.join(_EVENTS)})"
    rf"(?: (?:with|for|to|at) (?!\d)[\w'.-]{{1,30}}(?: (?!{_VERB}\b)[\w'-]{{1,30}})?)?)"
)
_ITEM = (
    rf"{_DET}(?P<thing>(?:[\w'&-]{{1,30}} ){{0,5}}?[\w'&-]{{1,30}}(?: (?:of|for|to|from|on) (?:the |my |our "
    rf")?[\w'-]{{1,30}}(?: [\w'-]{{1,30}})?)?)"
)
_WORDS = r"(?P<thing>[a-z][\w'-]{0,30}(?: [\w'-]{1,30}){0,2}?)"
_MOVED = (
    r"(?: (?:was|is|has|got|has been|have been|was just|just got))? (?:moved|rescheduled|postponed|pushed(?: back)?|"
    r"shifted|changed|brought forward|delayed)(?: back| forward)?(?: again)?(?: from [^;!?]{1,30}?)? (?:to|until|till)"
)
_HAPPENS = (
    r" (?:(?:now )?(?:meets|starts|begins|leaves|departs|takes place|happens|runs|is scheduled|is set|is booked|"
    r"are scheduled)(?: now)?|(?:is|are) now|will (?:now )?be|is|are)"
)
_GREW = (
    r"(?:(?: has| have|'s|'ve)? (?:went up|gone up|goes up|rose|risen|increased|dropped|fell|gone down|went down|"
    r"changed|is now)(?: from [^;!?]{1,30}?)? to"
    r"| (?:was|got|has been) (?:raised|lowered|reduced|increased|cut)(?: from [^;!?]{1,30}?)? to)"
)
_FROM = "(?: from [^;!?]{1,30}?)?"
_SUMS = r"(?P<thing>(?:[a-z]+ )?(?:rent|salary|budget|wage|allowance))"
_MEASURES = (
    r"(?P<what>weight|height|(?:[a-z]+ )?score|personal best|pb|dose|dosage|target weight|(?:[a-z]+ )?(?:goal|target)|"
    r"resting heart rate|blood pressure|gpa)"
)
_CHANGED = r"(?: (?:was|has been|got) (?:lowered|raised|changed|increased|reduced) to)"
_SOFTWARE = r"(?P<thing>[a-z][a-z.+#]+) (?P<value>v?\d+(?:\.\d+)*)(?![\d%]| ?(?:minutes|hours|days|km|people))"
_phone, _email = identifier_value("phone"), identifier_value("email")
_PHONE = r"[^.!?]{0,24}?(?:\.? (?:it's |it is )?)?(?P<value>[+(\d].*)"


def _rule(attribute: str, cues: str, pattern: str, read: Reader, *, scheduled: bool = False) -> Rule:
    return Rule(attribute, tuple(cues.split("|")), rf"(?<![\w'])(?:{pattern})", read, scheduled)


_WORK = (
    _rule("employer", "work", rf"{_DOES} works?(?: now| currently)? (?:at|for) {_NOT_WORK}{_VALUE}", text_value),
    _rule(
        "employer",
        "working|employed",
        rf"{_WHO}(?:{_BE}|{_HAVE} been){_SOON} (?:working|employed)(?: now)? (?:at|for|by) {_NOT_WORK}{_VALUE}",
        text_value,
    ),
    _rule("employer", "employer", rf"{_WHOSE} {_NEW}employer{_IS} {_VALUE}", text_value),
    _rule("employer", "been with|been at", rf"{_DOES} been (?:with|at) {_VALUE}", named_value),
    _rule(
        "employer",
        "left |quit ",
        rf"{_DOES} (?:left|quit) [^,;.!?]{{2,40}}?(?:,? and|,)(?: i)?{_HAVE}{_SOON} (?:joined|started at|started with|"
        rf"work(?:ing)? (?:for|at)) {_VALUE}",
        named_value,
    ),
    _rule("employer", "hired by", rf"{_DOES} (?:got hired|was hired|been hired) by {_VALUE}", text_value),
    _rule(
        "employer",
        "started|joined",
        rf"{_DOES} (?:started|joined)(?: (?:at|with))? (?P<value>[a-z][^,;.!?()]+?)"
        r"(?= as an? | on (?:mon|tue|wed|thu|fri)| last | this (?:morning|week|month)| today| yesterday)",
        named_value,
    ),
    _rule(
        "employer",
        " jobs",
        rf"(?:switched|changed) jobs[^.!?]{{0,20}}, (?P<me>i){_BE}{_SOON} (?:at|with) {_VALUE}",
        named_value,
    ),
    _rule(
        "job",
        "title|position|role|job",
        rf"{_WHOSE} {_NEW}(?:job title|title|position|role|job){_IS} {_JOB}",
        text_value,
    ),
    _rule("job", "work", rf"{_DOES} works?(?: now)? as {_JOB}", text_value),
    _rule("job", " a", rf"{_WHO}{_BE}{_SOON} (?:working as )?an? {_JOB}", text_value),
    _rule("job", "promoted", rf"{_DOES} (?:got |been |was )?promoted to {_JOB}", text_value),
    _rule("job", "became|become", rf"{_DOES} (?:became|become) {_JOB}", text_value),
)
_HOME = (
    _rule(
        "home",
        "live|living|moved|relocated|settled",
        rf"{_DOES} (?:lives?|been living|moved|relocated|settled)(?: now)?(?: (?:back|out|over))? (?:in|to) {_PLACE}",
        place_value,
    ),
    _rule("home", "living|based", rf"{_WHO}{_BE}{_SOON} (?:living|based)(?: now)? in {_PLACE}", place_value),
    _rule("home", "home is", rf"home is(?: now)? {_PLACE}", place_value),
    _rule("home", "renting", rf"{_WHO}{_BE}{_SOON} renting (?:an? )?[\w -]{{3,20}} in {_PLACE}", place_value),
    _rule(
        "home",
        "moved in",
        rf"{_DOES} (?:bought|rented|found|got) an? [\w -]{{3,20}} in {_PLACE} and(?: (?:we|i|have|'ve|just))* moved in",
        place_value,
    ),
    _rule("address", "live", rf"{_DOES} lives?(?: now)? at {_STREET}", digits_value),
    _rule(
        "address",
        "address",
        rf"{_WHOSE} {_NEW}(?:home |postal )?address(?:{_IS}| (?:has )?changed to) [^\d;.!?]{{0,20}}?{_STREET}",
        digits_value,
    ),
    _rule(
        "address",
        "send|post|deliver|parcels",
        r"(?:(?:send|post|deliver) (?:my |the )?(?:parcels?|mail|post|packages?|everything|letters|it) to|for parcels:)"
        rf" {_STREET}",
        digits_value,
    ),
)
_REACH = (
    _rule(
        "phone",
        "phone|cell|mobile|number",
        rf"{_WHOSE} (?:new )?(?P<what>work |home |office )?(?:phone|cell|mobile|number)(?: number)?"
        rf"(?:{_IS}| (?:has )?changed)\b{_PHONE}",
        _phone,
    ),
    _rule("phone", " me ", r"(?:reach|call|text|ring|phone) me (?:at|on) (?P<value>[+(\d].*)", _phone),
    _rule("phone", "new ", rf"(?P<me>i){_HAVE}{_SOON} (?:got|have) a new (?:phone )?number{_PHONE}", _phone),
    _rule(
        "email",
        "@",
        rf"{_WHOSE} (?:new )?(?P<what>work |school )?(?:e-?mail(?: address)?|contact address)(?:{_IS}| (?:has "
        rf")?changed to)"
        r" (?P<value>\S+@\S+)",
        _email,
    ),
    _rule("email", "@", r"(?:e-?mail|write to|reach) me at (?P<value>\S+@\S+)", _email),
    _rule("email", "@", r"use (?P<me>my) new e-?mail(?: address)?:? (?P<value>\S+@\S+)", _email),
    _rule("email", "@", r"(?:(?P<me>i) now read everything at|anything written goes to) (?P<value>\S+@\S+)", _email),
)
_PERSON = (
    _rule(
        "age",
        "old|'m| am | is |'s",
        rf"{_WHO}{_BE}{_SOON} (?P<value>[\w-]{{1,30}}(?: years?[ -]old|(?=[.!;]|$)))",
        amount_value,
    ),
    _rule("age", "turned", rf"{_DOES} turned (?P<value>[\w-]{{1,30}})", amount_value),
    _rule(
        "relationship",
        "single|married|divorced|separated|widowed|engaged|relationship|dating",
        rf"{_WHO}{_BE}{_SOON} (?:happily |newly )?{_STATE}",
        chosen(_STATES),
    ),
    _rule(
        "relationship",
        " got",
        rf"(?:{_WHO}|[a-z]+ and i){_HAVE}{_SOON} (?:got|gotten) (?P<value>married|divorced|engaged)\b",
        chosen(_STATES),
    ),
    _rule(
        "diet",
        "vegetarian|vegan|pescatarian",
        rf"{_WHO}(?:{_BE}|{_HAVE}{_SOON} (?:went|became|turned)){_SOON} (?:an? |strictly )?"
        r"(?P<value>vegetarian|vegan|pescatarian)\b(?! for)",
        chosen(_DIETS),
    ),
    _rule(
        "diet",
        "eat",
        rf"{_WHO}(?:{_BE})?{_SOON} (?P<value>eat everything|eat meat again|eating meat again)",
        chosen(_DIETS),
    ),
    _rule(
        "person",
        "manager|boss|land|doctor|gp|dentist|therapist|supervisor|mentor|lead|coach",
        rf"{_WHOSE} {_NEW}(?P<what>manager|boss|landlord|landlady|doctor|gp|dentist|therapist|supervisor|mentor|team "
        rf"lead|coach)"
        rf"{_IS} (?P<value>[a-z][^,;!?]*?)(?= now\b|[,;!?]|\.$|$)",
        named_value,
    ),
)
_COUNTED = (
    r"(?!(?:minutes|hours|days|weeks|months|years|questions|meetings|calls|ideas|things|options|problems|tasks|exams|times|"
    r"reasons|interviews|appointments|people)\b)"
)
_HAS = (
    _rule(
        "count",
        "have|own|'ve got",
        rf"{_WHO}{_SOON} (?:have|has|own|owns|'ve got){_SOON} "
        rf"(?P<value>\d+|two|three|four|five|six|seven|eight|nine|ten) (?P<what>{_COUNTED}[a-z]+s)(?= now\b|[,;.!?]|$)",
        amount_value,
    ),
    _rule("belonging car", "drive", rf"{_DOES} drives?(?: now)? (?P<value>an? [^,;.!?]+?){_END}", named_value),
    _rule(
        "belonging",
        "car|phone|laptop|bike|camera",
        rf"{_WHOSE} {_NEW}(?P<what>car|phone|laptop|bike|camera){_IS} (?P<value>an? [^,;.!?]+?){_END}",
        named_value,
    ),
    _rule(
        "favourite",
        "favo",
        rf"(?<!of ){_WHOSE} (?:new |current |all-time )?favou?rite (?P<what>[a-z]+(?: [a-z]+)?){_IS} (?:the )?"
        rf"(?P<value>[^,;.!?]+?){_TO_NOW}",
        text_value,
    ),
    _rule(
        "version",
        "on |us|to |run",
        rf"(?:we|i|they)(?:'re| are|'m| am)? (?:on|using|use|now use) {_SOFTWARE}",
        text_value,
    ),
    _rule(
        "version",
        "ed|run",
        rf"(?:(?:upgraded|migrated|switched|updated)(?: [\w' ]{{1,20}})? to|runs?(?: now)?(?: on)?|running(?: on)?) "
        rf"{_SOFTWARE}",
        text_value,
    ),
    _rule(
        "version",
        " at | on ",
        rf"{_DET}{_WORDS} (?:is|runs)(?: now)? (?:at|on) (?P<value>(?:version |v)?\d+(?:\.\d+)+)",
        text_value,
    ),
    _rule(
        "version",
        "tagged|released|shipped",
        rf"(?P<me>i|we) (?:tagged|released|shipped) {_DET}{_WORDS} (?P<value>v\d+(?:\.\d+)+)",
        text_value,
    ),
)
_AMOUNTS = (
    _rule(
        "price",
        "is|are|cost|to",
        rf"{_ITEM}(?:{_IS}(?: priced at)?|(?: now)? costs?(?: now)?|{_GREW}) {_MONEY}",
        money_value,
    ),
    _rule(
        "price",
        "rent|salary|budget|wage|allowance",
        rf"(?:(?:my|our|the) |^){_SUMS}(?:{_IS}|{_GREW}) {_MONEY}",
        sum_value,
    ),
    _rule(
        "price",
        "raised|lowered|increased|reduced|cut|changed|set|bumped|updated",
        r"(?:raised|lowered|increased|reduced|cut|changed|set|bumped|updated|"
        r"had to (?:raise|lower|increase|reduce|cut)) (?:the|our|my) "
        rf"(?P<thing>[\w'-]{{1,30}}(?: [\w'-]{{1,30}}){{0,3}}?){_FROM} to {_MONEY}",
        money_value,
    ),
    _rule(
        "price",
        "budget of",
        r"(?:set|have|got|agreed on) (?:a|our|the) (?:total )?budget of (?P<value>[$€£¥]?\d[\d.,k]*(?: [a-z]+)?) for "
        r"(?:the |our |my )?(?P<thing>[\w' -]{2,30}?)(?=[.,;!]|$| this\b| so\b)",
        sum_value,
    ),
    _rule(
        "measure",
        " is |'s| to ",
        rf"{_WHOSE} {_NEW}{_MEASURES}(?:{_IS}|{_CHANGED}) (?P<value>[$€£¥]?\d.*)",
        amount_value,
    ),
    _rule(
        "measure",
        "my |our ",
        rf"{_WHOSE} {_NEW}(?P<what>[a-z]+(?: [a-z]+){{0,2}}?){_IS}(?: about| around| roughly| exactly)? "
        r"(?P<value>\d[\w.,%/ -]*?)(?=[.,;!]|$| now\b| a (?:day|week|month|year)\b| each\b)",
        measured_value,
    ),
    _rule(
        "measure",
        "target|goal",
        rf"the (?P<thing>(?:target|goal) for (?:the )?[\w ]+?)(?:{_IS}|{_CHANGED}) (?P<value>\d.*)",
        amount_value,
    ),
    _rule(
        "goal",
        "goal|target|aim",
        rf"{_WHOSE} {_NEW}(?:goal|target|aim){_IS} to (?P<what>[a-z' -]+?) (?P<value>[$€£¥]?\d.*)",
        figure_value,
    ),
    _rule(
        "dose",
        " of ",
        r"(?:takes?|gets?|is on|am on|'m on|'s on) (?P<value>\d+ ?(?:mg|ml|g|mcg|drops)) of (?P<thing>[a-z]+)",
        amount_value,
    ),
)
_WHEN = r"(?P<value>[^;.!?]+)"
_TIMES = (
    _rule(
        "deadline",
        "deadline",
        rf"{_DET}(?:deadline (?:for|of) (?:the |my |our )?(?P<thing>[\w' -]+?)|(?P<thing2>[\w'-]{{1,30}}(?: "
        rf"[\w'-]{{1,30}})?) deadline)"
        rf"(?: is(?: now)?|(?: was| has been| got)? (?:extended|moved|changed|pushed(?: back)?|postponed) to) {_WHEN}",
        date_value,
        scheduled=True,
    ),
    _rule(
        "deadline",
        "deadline",
        r"(?:extended|moved|changed|pushed(?: back)?|postponed|updated) (?:the |my |our )?(?:deadline (?:for|of) "
        rf"(?:the |my |our )?(?P<thing>[\w' -]{{1,40}}?)|(?P<thing2>[\w'-]{{1,30}}(?: [\w'-]{{1,30}})?) deadline)"
        rf"(?: back| forward)?{_FROM} to {_WHEN}",
        date_value,
        scheduled=True,
    ),
    _rule(
        "deadline",
        "due",
        rf"{_DET}{_WORDS} (?:is|are)(?: now)? due(?: now)?(?: on| by)? {_WHEN}",
        date_value,
        scheduled=True,
    ),
    _rule(
        "deadline",
        " to ",
        rf"{_DET}{_WORDS} (?:has|have|needs?) to (?:ship|be (?:done|ready|finished|submitted|in [\w ]+?)) by {_WHEN}",
        date_value,
        scheduled=True,
    ),
    _rule(
        "time", "|".join(_EVENTS), rf"{_EVENT}(?:{_MOVED}|{_HAPPENS}) (?P<value>[^;!?]+)", time_value, scheduled=True
    ),
    _rule(
        "time",
        "moved|pushed|rescheduled|postponed|shifted|changed",
        rf"(?:moved|pushed|rescheduled|postponed|shifted|changed) {_EVENT}(?: back| forward)?{_FROM} (?:to|until|till)"
        r" (?P<value>[^;!?]+)",
        time_value,
        scheduled=True,
    ),
)
ENGLISH: tuple[Rule, ...] = (*_WORK, *_HOME, *_REACH, *_PERSON, *_HAS, *_AMOUNTS, *_TIMES)
