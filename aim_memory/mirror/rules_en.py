"""English rules. Patterns run over folded (lower-case) sentences."""

from __future__ import annotations

import re

from aim_memory.mirror.rules import (
    Reader,
    Rule,
    amount_value,
    chosen,
    date_value,
    digits_value,
    identifier_value,
    money_value,
    named_value,
    text_value,
    time_value,
)

_KIN = (
    "(?:big |little |older |younger )?(?:brother|sister|mother|father|mom|mum|dad|parents|wife|husband|partner|boyfriend|girlfriend|"
    "son|daughter|boss|roommate|flatmate|grandma|grandpa|grandmother|grandfather|aunt|uncle|fiance|fiancee)"
)
_WHO = rf"(?:(?P<me>i|we)|(?:my|our) (?P<kin>{_KIN})|(?P<name>[a-z][\w-]+(?: [a-z][\w-]+)?))"
_WHOSE = rf"(?:(?P<me>my|our)|(?:my|our) (?P<kin>{_KIN})'s|(?P<name>[a-z][\w-]+(?: [a-z][\w-]+)?)'s)"
_BE = r"(?:'m| am|'re| are|'s| is)"
_HAVE = r"(?:'ve| have|'s| has)?"
_ADVERBS = r"(?: (?:now|just|currently|recently|finally|already|actually|also|both|officially|temporarily))*"
_END = (
    r"(?= (?:now|as|since|in|on|at|for|and|with|last|this|today|yesterday|these|at the moment|currently|but|so|because|while|"
    r"these days|after|before|near|anymore|still|two|three|a (?:week|month|year|few)|over|where|which|who|too|again)\b|[,;.!?()]|$)"
)
_PLACE_END = _END.replace("in|", "").replace("|at|", "|")
_VALUE = rf"(?P<value>[^,;.!?()]+?){_END}"
_PLACE = r"(?:an? [\w -]{3,20} in |the [\w -]{3,20} of |downtown |central )?"
_NOW = r"(?: now| currently| actually)?"
_IS = r"(?: is| are|'s)(?: now| currently| still)?"

_JOBS = (
    "accountant actor actress advisor analyst architect artist assistant attorney baker banker barista bartender biologist bookkeeper builder "
    "butcher carpenter cashier chef chemist cleaner clerk coach composer consultant cook coordinator copywriter counselor curator dentist "
    "designer developer director doctor driver economist editor electrician engineer farmer firefighter florist gardener geologist "
    "hairdresser illustrator instructor interpreter inspector janitor journalist judge lawyer lead lecturer librarian manager "
    "mechanic midwife musician nanny nurse officer optician painter paramedic pharmacist photographer physicist physiotherapist "
    "pilot plumber principal producer professor programmer psychologist receptionist recruiter reporter researcher salesperson "
    "scientist secretary server singer solicitor specialist supervisor surgeon surveyor tailor teacher technician therapist "
    "trainer translator tutor vet veterinarian waiter waitress welder writer zookeeper electrician machinist trader cto ceo cfo"
).split()
_JOB = rf"(?:an? |the )?(?P<value>(?:[a-z][\w-]* ){{0,3}}(?:{'|'.join(_JOBS)}))(?![\w'-]| of\b)"
_NO_PLACE_OF_WORK = (
    r"(?!(?:home|night|nights|least|weekends?|the moment|it|them|free|a living|hours?|myself|peanuts|my|me|him|her|you|all|fun|money|"
    r"this|that|a while|the weekend|the same|once|\d)\b)"
)
_STATES = {
    "single again": "single",
    "single": "single",
    "married": "married",
    "divorced": "divorced",
    "separated": "separated",
    "widowed": "widowed",
    "engaged": "engaged",
    "in a relationship": "partnered",
    "dating": "partnered",
    "seeing someone": "partnered",
}
_DIETS = {
    "vegetarian": "vegetarian",
    "vegan": "vegan",
    "pescatarian": "pescatarian",
    "eat everything": "everything",
    "eat meat again": "everything",
    "eating meat again": "everything",
}
_EVENTS = (
    "appointment appt meeting call class lesson lessons classes flight train bus ferry interview session sessions club practice rehearsal dinner "
    "lunch brunch breakfast party wedding surgery operation exam test standup stand-up sync game match concert checkup check-up review demo launch "
    "webinar workshop delivery pickup hearing evening viewing inspection ceremony recital seminar conference presentation haircut "
    "therapy gig show kickoff retro consultation scan vaccination funeral graduation tournament race shift"
).split()
_THING = r"(?:(?:my|our|the|his|her|their|this) )?(?P<thing>(?:[\w'&-]+ ){0,5}?"
_EVENT = rf"{_THING}(?:{'|'.join(_EVENTS)})(?: (?:with|for|to|at) [\w'.-]+(?: [\w'-]+)?)?)"
_ITEM = rf"{_THING}[\w'&-]+(?: (?:of|for|to|from|on) (?:the |my |our )?[\w'-]+(?: [\w'-]+)?)?)"
_SHIFT = (
    r"(?:(?: was| is| has| got| has been| have been| was just| just got| got)? (?:moved|rescheduled|postponed|pushed(?: back)?|shifted|changed|"
    r"brought forward|delayed)(?: back| forward)?(?: again)? (?:to|until|till))"
)
_HAPPENS = (
    r"(?: (?:now )?(?:meets|starts|begins|leaves|departs|takes place|happens|runs|is scheduled|is set|is booked|are scheduled)(?: now)?| (?:is|are) now| will (?:now )?be"
    r"| (?:is|are))"
)
_PHONE_END = r"[^.!?]{0,24}?(?:\.? (?:it's |it is )?)?(?P<value>[+(\d].*)"
_phone, _email = identifier_value("phone"), identifier_value("email")


def _rule(attribute: str, pattern: str, read: Reader, *, scheduled: bool = False) -> Rule:
    return Rule(attribute, re.compile(rf"(?<![\w'])(?:{pattern})"), read, scheduled)


def _place(pattern: str) -> tuple[Rule, ...]:
    return (_rule("home", f"{pattern} {_PLACE}(?P<value>[a-z][\\w'-]*(?:,? [a-z][\\w'-]*){{0,3}}?){_PLACE_END}", named_value),)


ENGLISH: tuple[Rule, ...] = (
    # work
    _rule("employer", rf"{_WHO}{_HAVE}{_ADVERBS} works?{_NOW} (?:at|for) {_NO_PLACE_OF_WORK}{_VALUE}", text_value),
    _rule("employer", rf"{_WHO}(?:{_BE}|{_HAVE} been){_ADVERBS} (?:working|employed)(?: now)? (?:at|for|by) {_NO_PLACE_OF_WORK}{_VALUE}", text_value),
    _rule("employer", rf"{_WHOSE} (?:new |current )?employer{_IS} {_VALUE}", text_value),
    _rule("employer", rf"{_WHO}{_HAVE}{_ADVERBS} been with {_VALUE}", named_value),
    _rule("employer", rf"{_WHO}{_HAVE}{_ADVERBS} (?:got hired|was hired|been hired) by {_VALUE}", text_value),
    _rule("employer", rf"{_WHO}{_HAVE}{_ADVERBS} (?:started|joined)(?: (?:at|with))? (?P<value>[a-z][^,;.!?()]+?)(?= as an? | on | last | this morning| today| in )", named_value),
    _rule("employer", rf"(?:switched|changed) jobs[^.!?]{{0,20}}, (?P<me>i){_BE}{_ADVERBS} (?:at|with) {_VALUE}", named_value),
    _rule("job", rf"{_WHOSE} (?:new |current )?(?:job title|title|position|role|job){_IS} {_JOB}", text_value),
    _rule("job", rf"{_WHO}{_HAVE}{_ADVERBS} works?{_NOW} as {_JOB}", text_value),
    _rule("job", rf"{_WHO}{_BE}{_ADVERBS} (?:working as )?an? (?=[a-z]){_JOB}", text_value),
    _rule("job", rf"{_WHO}{_HAVE}{_ADVERBS} (?:got |been |was )?promoted to {_JOB}", text_value),
    _rule("job", rf"{_WHO}{_HAVE}{_ADVERBS} (?:became|become) {_JOB}", text_value),
    # home
    *_place(rf"{_WHO}{_HAVE}{_ADVERBS} (?:lives?|been living|moved|relocated|settled){_NOW}(?: (?:back|out|over))? (?:in|to)"),
    *_place(rf"{_WHO}{_BE}{_ADVERBS} (?:living|based)(?: now)? in"),
    *_place(r"home is(?: now)?"),
    _rule("address", rf"{_WHO}{_HAVE}{_ADVERBS} lives?{_NOW} at (?P<value>\d[^;.!?]+?)(?= now\b|[;.!?]|$)", digits_value),
    _rule("address", rf"{_WHOSE} (?:new |home |current |postal )?address(?:{_IS}| (?:has )?changed to) (?P<value>[^;.!?]*\d[^;.!?]*?)(?= now\b|[;.!?]|$)", digits_value),
    _rule("address", r"(?:send|post|deliver) (?:my |the )?(?:parcels?|mail|post|packages?|everything|letters|it) to (?P<value>\d[^;.!?]+?)(?= now\b|[;.!?]|$)", digits_value),
    # reach
    _rule("phone", rf"{_WHOSE} (?:new )?(?P<what>work |home |office )?(?:phone|cell|mobile|number|phone number|cell number|mobile number)(?: number)?(?:{_IS}| (?:has )?changed)\b{_PHONE_END}", _phone),
    _rule("phone", r"(?:reach|call|text|ring|phone) me (?:at|on) (?P<value>[+(\d].*)", _phone),
    _rule("phone", rf"(?P<me>i){_HAVE}{_ADVERBS} (?:got|have) a new (?:phone )?number{_PHONE_END}", _phone),
    _rule("email", rf"{_WHOSE} (?:new )?(?P<what>work |school )?e-?mail(?: address)?(?:{_IS}| (?:has )?changed to) (?P<value>\S+@\S+)", _email),
    _rule("email", r"(?:e-?mail|write to|reach) me at (?P<value>\S+@\S+)", _email),
    _rule("email", r"(?:use )(?P<me>my) new e-?mail(?: address)?:? (?P<value>\S+@\S+)", _email),
    # person
    _rule("age", rf"{_WHO}{_BE}{_ADVERBS} (?P<value>[\w-]+(?: years?[ -]old|(?=[.!;]|$)))", amount_value),
    _rule("age", rf"{_WHO}{_HAVE}{_ADVERBS} turned (?P<value>[\w-]+)", amount_value),
    _rule("relationship", rf"{_WHO}{_BE}{_ADVERBS} (?:happily |newly )?(?P<value>single(?! ?-| handed)|married|divorced|separated|widowed|engaged(?! in| with)|in a relationship|dating|seeing someone)\b", chosen(_STATES)),
    _rule("relationship", rf"(?:{_WHO}|[a-z]+ and (?P<both>i)){_HAVE}{_ADVERBS} (?:got|gotten) (?P<value>married|divorced|engaged)\b", chosen(_STATES)),
    _rule("diet", rf"{_WHO}(?:{_BE}|{_HAVE}{_ADVERBS} (?:went|became|turned)){_ADVERBS} (?:an? |strictly )?(?P<value>vegetarian|vegan|pescatarian)\b(?! for)", chosen(_DIETS)),
    _rule("diet", rf"{_WHO}(?:{_BE})?{_ADVERBS} (?P<value>eat everything|eat meat again|eating meat again)", chosen(_DIETS)),
    _rule("person", rf"{_WHOSE} (?:new |current )?(?P<what>manager|boss|landlord|landlady|doctor|gp|dentist|therapist|supervisor|mentor|team lead|coach){_IS} (?P<value>[a-z][^,;!?]*?)(?= now\b|[,;!?]|\.$|$)", named_value),
    # things one has
    _rule("car", rf"{_WHO}{_HAVE}{_ADVERBS} drives?{_NOW} (?P<value>an? [^,;.!?]+?){_END}", named_value),
    _rule("belonging", rf"{_WHOSE} (?:new |current )?(?P<what>car|phone|laptop|bike|camera){_IS} (?P<value>an? [^,;.!?]+?){_END}", named_value),
    _rule("favourite", rf"(?<!of ){_WHOSE} (?:new |current |all-time )?favou?rite (?P<what>[a-z]+(?: [a-z]+)?){_IS} (?:the )?(?P<value>[^,;.!?]+?)(?= now\b| these days|[,;.!?]|$)", text_value),
    # amounts
    _rule("price", rf"{_ITEM}(?:{_IS}(?: priced at)?|(?: now)? costs?(?: now)?|{_HAVE} (?:went up|gone up|goes up|rose|risen|increased|dropped|fell|gone down|went down|changed|is now) to| (?:was|got) (?:raised|lowered|reduced|increased|cut) to) (?:about |around |only |just )?(?P<value>[$€£¥]?\d.*)", money_value),
    _rule("price", r"(?:raised|lowered|increased|reduced|cut|changed|set) (?:the|our|my) (?P<thing>[\w'-]+(?: [\w'-]+){0,3}?) to (?P<value>[$€£¥]?\d.*)", money_value),
    _rule("measure", rf"{_WHOSE} (?:new |current )?(?P<what>weight|height|(?:[a-z]+ )?score|personal best|pb|dose|dosage|target weight|(?:[a-z]+ )?(?:goal|target)|resting heart rate|blood pressure|gpa)(?:{_IS}| (?:was|has been|got) (?:lowered|raised|changed|increased|reduced) to) (?P<value>[$€£¥]?\d.*)", amount_value),
    _rule("measure", r"the (?P<thing>(?:target|goal) for (?:the )?[\w ]+?)(?: is(?: now)?| (?:was|has been|got) (?:raised|lowered|changed|increased|reduced) to) (?P<value>\d.*)", amount_value),
    # time
    _rule("deadline", r"(?:the |my |our )?(?:deadline (?:for|of) (?:the |my |our )?(?P<thing>[\w' -]+?)|(?P<thing2>[\w'-]+(?: [\w'-]+)?) deadline)(?: is(?: now)?|(?: was| has been| got)? (?:extended|moved|changed|pushed(?: back)?|postponed) to) (?P<value>[^;.!?]+)", date_value, scheduled=True),
    _rule("deadline", r"(?:the |my |our )?(?P<thing>[a-z][\w'-]*(?: [\w'-]+){0,2}?) (?:is|are)(?: now)? due(?: now)?(?: on| by)? (?P<value>[^;.!?]+)", date_value, scheduled=True),
    _rule("deadline", r"(?:the |my |our )(?P<thing>[a-z][\w'-]*(?: [\w'-]+){0,2}?) (?:has|have|needs?) to (?:ship|be (?:done|ready|finished|submitted|in [\w ]+?)) by (?P<value>[^;.!?]+)", date_value, scheduled=True),
    _rule("time", rf"{_EVENT}(?:{_SHIFT}|{_HAPPENS}) (?P<value>[^;!?]+)", time_value, scheduled=True),
    _rule("time", rf"(?:moved|pushed|rescheduled|postponed|shifted|changed) {_EVENT}(?: back| forward)? (?:to|until|till) (?P<value>[^;!?]+)", time_value, scheduled=True),
    # versions
    _rule("version", r"(?:(?:we|i|they)(?:'re| are|'m| am)? (?:on|using|use|now use)|(?:upgraded|migrated|switched|updated)(?: [\w' ]{1,20})? to|runs?(?: now)?|running) (?P<thing>[a-z][a-z.+#]+) (?P<value>v?\d+(?:\.\d+)*)(?![\d%]| ?(?:minutes|hours|days|km|people))", text_value),
    _rule("version", r"(?:the |my |our )(?P<thing>[a-z][\w-]*(?: [\w-]+)?)(?: is| runs)(?: now)? (?:at|on) (?P<value>(?:version |v)?\d+(?:\.\d+)+)", text_value),
)
