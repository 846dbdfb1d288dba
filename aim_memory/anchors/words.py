"""Everyday English words that open sentences or stand in titles: capitalised, they are still no names."""

from __future__ import annotations

EVERYDAY = frozenset(
    """
    a about above absolutely according across actually add additionally after afternoon again against agreed all
    almost along already also although always am amazing among an and another any anybody anyone anything anyway
    apparently april are around as ask asked assistant at ate august away awesome awful back bad basically be
    beautiful because been before being below benefits best better between big bless booked both bought
    breakfast brilliant bring broke brought build but by bye call called can cannot cant careful certainly
    changed chapter check cheers classic cleaned clearly close come conclusion congrats congratulations
    consequently consider considering cooked cool correct could couldn create dad day days deal dear december
    define definitely depending design despite develop did didn different dinner do does doesn doing don done
    down drank dropped drove dunno during each early easy eight eighty either eleven else english enjoy enough
    ensure especially evening evenings ever every everybody everyone everything exactly example examples
    excellent except exciting excuse explore fair family fantastic features february few fifty figure finally
    fine fingers finished first fixed flew flight following food for fortunately forty found four free friday
    fridays friend friends from full fun funny furthermore fwd gave gee get getting give given glad go god going
    gonna good goodbye goodness got gotcha grandma grandpa great guess had haha half happy hard has hasn hate
    have haven having he heard heh hello help hence her here hers hey hi him his hm hmm hold home honestly
    hooray hope hopefully hoping house how however huge hundred hurry i ideally identify if imagine implement
    important in include incredible indeed inside install instead interesting into introduction invited is isn
    it its january job joined july june just keep key kids kind know last lastly late later learned learnt least
    leaving left less let lets life like likewise listen little live long look looking lost lots love loved
    lovely loving luckily lunch madam made mail make making man many march marriage may maybe me mean meanwhile
    meet meeting met miss missed missing mister mom monday mondays money month more moreover morning mornings
    most mostly moved moving mr mrs ms much mum music must my near need neither never nevertheless new next nice
    night nine ninety no nobody none nope nor not note noted nothing november now nowadays obviously october of
    off offer oh ok okay old on once one only oops open or order other otherwise ouch our ours out outside over
    overall overview page paid parents part people per perfect perhaps phew phone pick picked pity plan played
    please plus point poor pretty previously price probably provide ps put question quick quickly quite ran
    rather re read reading ready really recently regarding remember remind reminder rent research review riding
    right run running sad safe said same saturday saturdays saved saw say school second section see seeing seems
    send sent september seriously set seven seventy several shall she short should show signed similarly simple
    since sir six sixty slept small so sold some somebody someone something sometimes somewhere soon sorry
    sorted sounds speaking spent spoke start started step still stop stopped strange stuff such summary sunday
    sundays super sure surely swimming switched table take takes taking talk talked taught team tell ten
    terrible test thank thanks that thats the their them then there therefore these they thing things think
    thinking thirteen thirty this those though thousand three through thursday thursdays thus till time tip to
    today together told tomorrow tonight too took totally toward towards traffic tried true trust try trying
    tuesday tuesdays turn turned turns twenty twice two ugh um under unfortunately unless unlike until up update
    upon us use used user using usually version very via visited wait walk walked walking wanna want was wasn
    watch watched watching way we weather wedding wednesday wednesdays week weekend weekends welcome well went
    were weren what whatever when whenever where whether which while who whoever whole whose why wife will wish
    with within without woke woman women won wonderful wondering work worked working would wouldn wow write
    wrong wrote yay yeah year years yep yes yesterday yet yikes you young your yours yup
    """.split()
)
