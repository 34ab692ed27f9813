"""The usual terms of a Japanese contract. The clause words are fixed phrases, so plain patterns reach far."""

import re
from collections.abc import Iterable

from extractors.engines.rules import japanese_money
from extractors.engines.rules.japanese_lines import Line, articles, lines
from extractors.engines.rules.japanese_parties import ROLES, side_of
from extractors.engines.view import Sentence, View
from extractors.japanese_numbers import NUMBER, Length, closing_days, laws, lengths, notices, rates, within
from extractors.values import dates
from schemas.contract import Term

_TOPICS = (
    "identity",
    "dates",
    "duration",
    "termination",
    "law",
    "payment",
    "price",
    "value",
    "liability",
    "signatures",
)


def terms(view: View) -> Iterable[Term]:
    """Dates, term, renewal, notice, payment, law and money of a Japanese contract."""
    yield from _signatures(view)
    yield from _lone_dates(view)
    sentences = dict.fromkeys(sentence for topic in _TOPICS for sentence in view.about(topic))
    for line in lines(sorted(sentences), articles(view.text)):
        for rule in (_dates, _duration, _renewal, _termination, _law, _payment, _billing, _late_fee, _price):
            yield from rule(view, line)
        yield from japanese_money.terms(view, line)


_OTHER_CONTRACT = re.compile(
    r"^\s*(?:付|改[定訂]|現在|に?(?:締結|交わ|成立)(?:した|された|し|の)(?!。|もの)|制定)|^(?:付け)?(?:の)?[「『]"
)
_EARLIER = re.compile(r"試用|従前|旧契約|失効")
_TERM_WORDS = re.compile(
    r"(?:契約|有効|委託|利用|研究|賃貸借|賃貸|使用|保守|提供|業務|履行|存続|許諾|派遣|取引|実施|サービス|委任|顧問|本契約の)期間|"
    r"有効|効力|発効|存続|施行|適用開始|^第[^ ]{1,6}条[(]期間"
)
_NOT_TERM = re.compile(
    r"試用期間|保証期間|検査期間|猶予期間|休業|秘密保持期間|納期|保管期間|保存|義務は|規定は|終了後|保証する|修補|競業|勧誘|雇用"
)
_STARTS = re.compile(
    r"^\s*(?:から|より|[(（]?以下|に発効|に(?:その)?効力|をもって(?:発効|効力)|を(?:効力|契約)?(?:発生日|開始日|始期|起算)|に遡って|付けで効力)"
)
_START_LABEL = re.compile(
    r"(?:(?:利用|契約|サービス|業務|提供|委託)(?:の)?開始日|発効日|効力発生日|始期)\s*(?:は|:|を)?[、\s]*$"
)
_END_LABEL = re.compile(r"(?:(?:契約|利用)?(?:終了日|満了日)|終期)\s*(?:は|:|を)?[、\s]*$")


def _dates(view: View, line: Line) -> Iterable[Term]:
    if _EARLIER.search(line.text) and "本契約" not in line.text:
        return
    for dated in dates(line.text):
        span, after = (dated.start, dated.end), line.text[dated.end : dated.end + 14]
        before = line.text[: dated.start]
        if _OTHER_CONTRACT.search(after):
            continue
        if term := _bound(line, before, after):
            yield line.found(view, term, dated.value, span, confidence=0.85)
        if _is_concluded(before, after):
            yield line.found(view, "agreement_date", dated.value, span, confidence=0.8)


def _bound(line: Line, before: str, after: str) -> str | None:
    """Whether a date begins or ends the contract's term."""
    if _START_LABEL.search(before):
        return "effective_date"
    if _END_LABEL.search(before):
        return "expiration_date"
    if not _TERM_WORDS.search(line.subject) or _NOT_TERM.search(line.text):
        return None
    if _STARTS.search(after):
        return "effective_date"
    return "expiration_date" if re.match(r"\s*まで(?!に)|\s*をもって(?:満了|終了)", after) else None


def _is_concluded(before: str, after: str) -> bool:
    named = re.search(r"(?:契約)?締結日(?:である|は|:)?\s*$|契約日\s*[:は]?\s*$|申込日\s*[:は]?\s*$", before)
    said = re.match(r"\s*(?:に|付で|をもって)?[、,]?[^。、]{0,24}?(?:を|し|に)(?:締結|合意)(?:する|した。|し、)", after)
    listed = re.match(r"、(?:次|以下|下記)の(?:とおり|通り)[^。]{0,30}(?:締結|合意)", after)
    return bool(named or said or listed)


_DATE_LABEL = r"(?:契約締結日|締結日|契約日|作成日|申込日|日付)?\s*[: ]?\s*"


def _lone_dates(view: View) -> Iterable[Term]:
    """A date that has a line to itself, as above the signatures."""
    at = 0
    for row in view.text.split("\n"):
        found = dates(row) if len(row) < 40 else []
        if len(found) == 1 and re.fullmatch(_DATE_LABEL, row[: found[0].start]) and not row[found[0].end :].strip():
            quoted = Sentence(at, row.rstrip(), "")
            yield view.found("agreement_date", found[0].value, quoted, confidence=0.75)
        at += len(row) + 1


def _signatures(view: View) -> Iterable[Term]:
    """Electronic signatures and seals behind the closing words; one date a signature, the last one counts."""
    closing_words = [m.start() for m in re.finditer(r"を\s*証\s*する|記\s*名\s*押\s*印|署\s*名", view.text)]
    start = next((at for at in closing_words if at > 0.5 * len(view.text)), None)
    if start is None:
        return
    closing = view.text[start:]
    marks = list(re.finditer(r"電子署名済|㊞|印(?:\s|$|）|\))|/s/", closing))
    if not marks:
        return
    if len(marks) >= max(2, len(view.parties)):
        yield view.found("fully_executed", True, _signature_lines(closing, marks, start), confidence=0.75)
    found = [(d.value, d.start, d.end) for d in dates(closing) if d.start > marks[0].start() - 20]
    if found:
        value, first, last = max(found)
        yield view.found("signed_date", value, Sentence(start + first, closing[first:last], ""), confidence=0.7)


def _signature_lines(closing: str, marks: list[re.Match[str]], start: int) -> Sentence:
    """From the closing words to the last mark where they stand on one page, else the marks alone."""
    whole = closing[: marks[-1].end()].rstrip()
    if "\f" not in whole:
        return Sentence(start, whole, "")
    first = marks[0].start()
    return Sentence(start + first, closing[first : marks[-1].end() + 20].split("\f")[0].rstrip(), "")


_RENEWS = r"(?:更新|延長|継続)"
_NO_NOTICE = r"(?:申出|申し出|申入れ|申し入れ|異議|意思表示|通知|意思の表示|連絡)(?:が|の|も)?(?:され)?(?:ない|なき|なかった|なければ)"
_AUTO = re.compile(
    rf"自動(?:的に)?{_RENEWS}(?!(?:は|を)?(?:行わ|し|され)ない)|{_NO_NOTICE}[^。]{{0,60}}{_RENEWS}|ない限り[^。]{{0,60}}{_RENEWS}|"
    rf"{_RENEWS}(?:される|する)?ものとし、?(?:以後|以降|その後)も?同様"
)
_NO_RENEWAL = re.compile(
    rf"{_RENEWS}(?:は|を)?(?:し|行わ|され)ない(?!旨|とき|場合|限り|意思|こと)|{_RENEWS}(?:は)?できない"
)
_OPTIONAL = re.compile(
    rf"(?:協議|合意|承諾)[^。]{{0,40}}{_RENEWS}(?!し?ない)|{_RENEWS}(?:を)?(?:することが)?できる|{_RENEWS}[^。]{{0,30}}協議|{_RENEWS}を請求"
)
_EVERGREEN = re.compile(
    r"期[間限]の?(?:を)?定め(?:は|が|の)?(?:ない|なく|無く|ず)|期[間限]を定めず|(?:解約|終了)(?:される|する)まで[^。]{0,12}(?:存続|有効|継続)"
)


def _renewal(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    for value, words, sure in (
        ("evergreen", _EVERGREEN, 0.88),
        ("none", _NO_RENEWAL, 0.86),
        ("auto", _AUTO, 0.85),
        ("optional", _OPTIONAL, 0.8),
    ):
        if (match := words.search(text)) and re.search(r"期間|満了|契約", line.subject):
            yield line.found(view, "renewal_type", value, match.span(), confidence=sure)
            break
    if _OPTIONAL.search(text) and not _AUTO.search(text):
        return
    for notice in notices(text):
        before, after = text[max(0, notice.start - 30) : notice.start], text[notice.end :]
        if re.search(r"満了[^。]{0,14}$|終了[^。]{0,8}$|更新[^。]{0,8}$", before) and _is_refusal(after):
            yield line.found(view, "renewal_notice_days", notice.days, (notice.start, notice.end), confidence=0.85)


def _is_refusal(after: str) -> bool:
    """Whether what follows a period of notice is the will not to go on, not a change of price."""
    return bool(
        re.match(r"[^。]{0,60}(?:ない|なき|拒絶|終了|解約|異議|申出|意思表示|申し入れ|申入れ)", after)
    ) and not re.match(r"[^。]{0,40}(?:改定|変更することが)", after)


def _duration(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    for length in lengths(text):
        span = (length.start, length.end)
        before, after = text[: length.start], text[length.end :]
        if re.match(r"以上|以内|前|ごと|毎|分|を超|につき|あた|当た|以下|未満|の予告", after):
            continue
        if _is_renewal(before, after):
            yield line.found(view, "renewal_term_months", length.months, span, confidence=0.8)
        elif _is_initial(line, before, after, length):
            sure = 0.8 if _TERM_WORDS.search(line.heading) or "期間" in line.heading else 0.75
            yield line.found(view, "initial_term_months", length.months, span, confidence=sure)


def _is_renewal(before: str, after: str) -> bool:
    led = re.search(
        r"(?:さらに|更に|同一(?:の)?(?:条件|内容)(?:で|により|にて|をもって)?|従前と同[一じ][^。]{0,8})[、,]?(?:満|その後|引き続き)?$",
        before,
    )
    follows = re.match(
        rf"(?:を?もって|ずつ|ごとに|の期間で)?[、,]?(?:、?自動的?に?|、?同一条件で|さらに|期間を?)?{_RENEWS}", after
    )
    return bool((led and re.search(_RENEWS, after)) or follows)


def _is_initial(line: Line, before: str, after: str, length: Length) -> bool:
    if _NOT_TERM.search(line.text) or re.search(r"満了[^。]{0,14}$|直前|過去|毎", before[-16:]):
        return False
    if not (_TERM_WORDS.search(line.subject) or re.search(r"契約の期間", line.text)):
        return False
    begins = re.search(
        r"(?:期間は?|期間[:、]|から|より|起算して|締結日|まで|発効し|同日)[^。]{0,24}$|^$", before
    ) or line.heading == before.strip(" :")
    ends = re.match(r"[、,]?(?:の間|の期間|間)?(?:とする|とし|有効|存続|効力|の?契約|。|$|\s|\(|である|、自動)", after)
    return bool(begins and ends and length.months <= 600)


_CAUSE = re.compile(
    r"違反|不履行|破産|支払(?:の|を)?停止|支払不能|差押|履行しない|怠った|怠り|各号|遅滞|達成できない|不能となった|催告|信用|反社会|暴力団|変更が?生じた|"
    r"やむを得ない|天災|不可抗力|満了の"
)
_MAY_END = re.compile(
    r"(?:解約|解除|終了さ?せ?|終結)[^。]{0,12}?(?:でき(?:る|ます)|ことができる)|解約の?申入れ|終了を申し入れない限り|解約を申し入れない限り"
)
_MAY_NOT = re.compile(
    r"(?:解約|解除|終了)[^。]{0,14}?(?:でき(?:ない|ません)|ことはできない|してはならない|しないものと)"
)
_ANYTIME = re.compile(
    r"いつでも|理由の?(?:如何|いかん)|都合により|任意に|予告|申し?入れ|通知|中途解約|期間内解約|期間中|中途"
)
_BOTH = re.compile(
    rf"{ROLES}(?:及び|および|又は|または|と|若しくは|もしくは|並びに|、|・){ROLES}|甲乙|いずれ|双方|両者|両当事者|各当事者|当事者の一方|"
    r"一方当事者|一方の当事者|当事者は|相互に"
)


def _termination(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if not re.search(r"解約|終了|解除", text) or _CAUSE.search(text):
        return
    may_not = _MAY_NOT.search(text)
    may = max(_MAY_END.finditer(text), key=re.Match.start, default=None)  # the first may stand in the heading
    if may_not and not may:
        yield line.found(view, "termination_for_convenience", "none", may_not.span(), confidence=0.7)
        return
    if not may or not (_ANYTIME.search(line.subject) or notices(text)):
        return
    if who := _who(text[: may.end()], view):
        yield line.found(view, "termination_for_convenience", who, may.span(), confidence=0.8)
        if found := notices(text):
            span = (found[0].start, found[0].end)
            yield line.found(view, "termination_notice_days", found[0].days, span, confidence=0.8)


def _who(text: str, view: View) -> str | None:
    """Who is the subject: either party, or the side of the first one that is named."""
    if _BOTH.search(text):
        return "either"
    sides = {alias: party.side for party in view.parties for alias in party.aliases if party.side}
    if named := re.search(rf"(?P<role>{'|'.join([*map(re.escape, sides), ROLES])})(?:は|が|において)", text):
        return sides.get(named["role"]) or side_of(named["role"], view.text)
    return None


def _law(view: View, line: Line) -> Iterable[Term]:
    if not re.search(r"準拠|解釈|適用", line.subject):
        return
    for law in laws(line.text):
        yield line.found(view, "governing_law", law.place, (law.start, law.end), confidence=0.9)


_PAYS = r"(?:支払|振り?込|払い?込|送金|弁済|払う|前払|払い)"
_NOT_PAYMENT = re.compile(r"遅延損害金|遅延利息|怠った|怠る|遅滞した|返還|返金|違約金|催告|検査を行|保険金")


def _payment(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if _NOT_PAYMENT.search(text):
        return
    for due in within(text):
        after = text[due.end :]
        paid = re.match(rf"[^。]{{0,90}}?{_PAYS}", after)
        if not paid or re.search(r"請求書[^。、]{0,10}(?:送付|発行|提出|交付)|検[収査]を(?:行|し|完了)", paid.group()):
            continue
        concluded = re.search(r"締結[^。、]{0,8}$", text[: due.start])
        sure = 0.6 if concluded else 0.85
        yield line.found(view, "payment_terms_days", due.days, (due.start, due.end), confidence=sure)
    for due in closing_days(text):
        yield line.found(view, "payment_terms_days", due.days, (due.start, due.end), confidence=0.75)


_STAGE = r"(?:契約締結|着手|中間|納品|納入|引渡し?|検収(?:完了)?|業務完了|完了)時"
_FREQUENCIES = (
    ("milestone", re.compile(rf"{_STAGE}[^。]{{0,60}}{_STAGE}")),
    ("quarterly", re.compile(r"四半期|[3三][かヶカケ箇]月(?:ごと|毎)")),
    (
        "monthly",
        re.compile(
            r"毎月|月額|月末(?:日)?締|月締|当月分|各月|月払い?|[1一][かヶカケ箇]月(?:当たり|あたり|につき)|翌月分|月々"
        ),
    ),
    ("annual", re.compile(r"年額|毎年|年払い?|各年度|年間(?:利用|使用|保守)?料|年1回")),
    ("one_time", re.compile(r"一括")),
    ("usage", re.compile(r"従量")),
)
_BILLED = re.compile(rf"請求|{_PAYS}|料金|料は|料として|賃料|委託料|報酬|代金|対価|お支払")
_NOT_BILLED = re.compile(r"遅延|保険|最低|発注|購入し|引き取|減額|下回|改定|解約|解除|返還|返金|期間は|上限|限度")
_ADVANCE = re.compile(
    r"前払|前金|先払|前納|翌月分[^。]{0,12}(?:を|は)[^。]{0,20}支払|(?:毎月|前月)[^。]{0,10}までに、?翌月分|(?:当月分|その月分)を、?前月"
)
_ARREARS = re.compile(
    r"後払|締[^。]{0,60}?翌|締め?切[^。]{0,40}?翌|当月分[^。]{0,40}?翌|前月分|毎月の?業務(?:の)?(?:終了|完了)後"
)


def _billing(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if not _BILLED.search(line.subject) or _NOT_BILLED.search(text):
        return
    paying = bool(re.search(rf"請求|{_PAYS}", line.subject))
    for value, words in _FREQUENCIES:
        if match := words.search(text):
            sure = 0.7 if paying else 0.6
            yield line.found(view, "billing_frequency", value, match.span(), confidence=sure)
            break
    for value, words, sure in (("advance", _ADVANCE, 0.8), ("arrears", _ARREARS, 0.75)):
        if paying and (match := words.search(text)):
            yield line.found(view, "billing_timing", value, match.span(), confidence=sure)
            break


def _late_fee(view: View, line: Line) -> Iterable[Term]:
    if not re.search(r"遅延|遅滞|延滞|損害金|怠った", line.subject):
        return
    for rate in rates(line.text):
        span = (rate.start, rate.end)
        yield line.found(view, "late_fee_percent_per_month", rate.percent_per_month, span, confidence=0.8)


_PERCENT = rf"(?P<n>\d+(?:\.\d+)?|{NUMBER})\s*(?:%|パーセント)"
_CAPPED = re.compile(
    rf"{_PERCENT}(?:を|以内|の範囲|が)?[^。]{{0,6}}(?:超え|上限|限度|以内|範囲内)|(?:上限|限度)[^。]{{0,10}}{_PERCENT.replace('<n>', '<m>')}"
)


def _price(view: View, line: Line) -> Iterable[Term]:
    text = line.text
    if not re.search(r"改定|値上げ|増額|引き上げ|値上がり", text) or not re.search(r"料|単価|代金|価格|値上げ", text):
        return
    if cap := _CAPPED.search(text):
        percent = float(cap["n"] or cap["m"])
        yield line.found(view, "price_increase_type", "capped", cap.span(), confidence=0.8)
        yield line.found(view, "price_increase_cap_percent", percent, cap.span(), confidence=0.8)
    elif re.search(r"できる", text) and not re.search(r"協議|合意", text):
        yield line.found(view, "price_increase_type", "uncapped", confidence=0.5)
