"""Everyday English words that open sentences or stand in titles: capitalised, they are still no names."""

from __future__ import annotations

EVERYDAY = frozenset(
    """
    a about above absolutely actually after afternoon again agreed all almost already also although always am amazing an and
    another any anybody anyone anything anyway apparently are around as ask at august april away awesome awful back bad basically
    be beautiful because been before being below best better between big both breakfast bring brilliant but by bye call can cannot
    cant certainly check cheers classic clearly close come congrats congratulations cool correct could couldn dad day days dear
    december definitely deal did didn different dinner do does doesn doing don done down dunno each early easy either else enjoy
    enough especially evening ever every everybody everyone everything exactly excellent except exciting excuse fair family
    fantastic february few finally fine first flight food for fortunately four free friday friend friends from full fun funny
    gee get getting give glad go god going gonna good goodbye goodness got gotcha great grandma grandpa guess had haha half happy
    hard has hasn have haven having he heh hello help hence her here hers hey hi him his hm hmm hold home honestly hope hopefully
    house how however huge hurry i ideally if imagine important in incredible indeed instead interesting into is isn it its
    january job july june just keep kids kind know last lastly late later least less let lets life like likewise listen little
    live long look looking lots love lovely luckily lunch mail make man many march marriage may maybe me mean meanwhile meet meeting
    mom monday money month more moreover morning most mostly mum mr mrs ms much music must my need neither never nevertheless new
    next nice night no nobody none nope nor not note noted nothing november now nowadays obviously october of off oh ok okay old
    on once one only oops open or order other otherwise our ours out over parents part people perfect perhaps phew phone pity please
    plus point pretty previously price probably put question quick quickly quite rather read ready really recently regarding remember
    rent right sad safe said same saturday say school second see seems september seriously several shall she short should show
    similarly simple since six small so some somebody someone something sometimes somewhere soon sorry sounds speaking start still
    stop strange stuff such sunday super sure surely take talk team tell ten terrible thank thanks that thats the their them then
    there therefore these they thing things think this those though three through thursday thus till time tip to today together
    tomorrow tonight too totally traffic true trust try tuesday turn turns twice two ugh um under unfortunately unless until up
    update upon us use used usually very wait walk wanna want was wasn watch way we weather wedding wednesday week weekend welcome
    well went were weren what whatever when whenever where whether which while who whoever whole whose why wife will wish with
    within without woke woman women won wonderful wondering work worked working would wouldn wow write wrong yay yeah year years
    yep yes yesterday yet you young your yours yup english chapter section table figure step page part version user assistant
    mister miss sir madam re fwd ps pro con both given during despite inside outside near across along among against toward
    towards unlike via per considering following according depending overall additionally furthermore consequently moreover
    example examples summary conclusion introduction overview features benefits key create use using add set run install
    identify implement ensure develop review consider define include provide explore research plan design build test
    """.split()
)
