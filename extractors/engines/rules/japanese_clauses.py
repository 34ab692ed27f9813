"""The clause types of a Japanese contract's articles, by their headings and by fixed phrases.

A heading that names one thing gives its whole article the type; a phrase gives it to its sentence. What a heading
names may be called off by the article's own words, as where 損害賠償 has no limit in it.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extractors.engines.rules.japanese_lines import Article, Line, articles
from extractors.engines.view import LONGEST_QUOTE, Sentence
from schemas.contract import Clause


class ClauseRule(NamedTuple):
    """How a clause type is told: its headings, its phrases, and what calls a sentence off."""

    clause_type: str
    heading: re.Pattern[str] | None
    phrase: re.Pattern[str] | None
    unless: re.Pattern[str] | None


def _rule(clause_type: str, heading: str = "", phrase: str = "", unless: str = "") -> ClauseRule:
    return ClauseRule(clause_type, *(re.compile(words) if words else None for words in (heading, phrase, unless)))


_PAY = r"(?:支払[うわいっ]|支払う|振り?込|払い(?!戻)|送金|前払|納付|弁済)"
_MONEY = r"(?:料金?|代金|対価|報酬|賃料|運賃|費用|使用料|価格|研究費|単価|金額)"
_AMOUNT = r"(?:\d円|[万億千百十]円|別紙|単価|料金表|[一二三四五六七八九]円)"
_RENEWS = r"(?:更新|延長|継続)"
_COURT = r"(?:裁判所|管轄|仲裁|調停)"
_INSURED = r"保険[^。]{0,30}(?:付保|加入|維持|締結)"

RULES: tuple[ClauseRule, ...] = (
    _rule("fees", "", rf"{_MONEY}[^。]{{0,40}}{_AMOUNT}|{_AMOUNT}[^。]{{0,40}}{_MONEY}", r"保険|違約金|最低(?!保証)|敷金|購入しなければ|発注|(?:上限|限度|超えない)|賠償|遅延|引き?取"),
    _rule("billing", "", r"請求書を[^。]{0,30}?(?:発行|送付|提出|交付)(?!を?受け|され|した日)"),
    _rule("payment_terms", "", rf"(?:{_MONEY}|請求|締)[^。]{{0,90}}{_PAY}|(?:日まで|日以内|時|一括して|締め?)[^。]{{0,40}}{_PAY}|払い?とする|支払(?:条件|期限|期日)は|契約締結時[^。]{{0,30}}円|お支払条件",
          r"遅延|怠|遅滞|違約金|延滞|保険|遅れ|支払った|返還"),
    _rule("late_fee", r"遅延損害金|遅延利息|延滞", r"遅延損害金|遅延利息|延滞利息|延滞金"),
    _rule("price_increase", r"(?:料金|価格|単価|委託料|賃料|代金)の?(?:改定|変更|見直し)", rf"{_MONEY}[^。]{{0,60}}(?:改定|値上げ|増額|引き上げ)|(?:改定|値上げ|増額)[^。]{{0,40}}{_MONEY}", r"改定の利用規約"),
    _rule("discount", "", r"値引|割引"),
    _rule("refund", r"返金|払戻|返還しない", rf"{_MONEY}[^。]{{0,60}}(?:返還|返金|払い?戻)", r"敷金|秘密"),
    _rule("minimum_commitment", r"最低(?:購入|発注|利用|引取|取引|保証|注文)|引取義務|買取義務", r"最低(?:購入|発注|利用|引取|保証)|以上の?[^。]{0,30}(?:購入|発注|引き取|買い受け)[^。]{0,14}(?:しなければ|義務|ものとする|する)", r"達成できない"),
    _rule("expiration_date", "", r"(?:期間|効力|有効|存続|から|より)[^。]{0,80}(?:まで(?:とする|の|有効|効力|[^にの]{0,8}とし)|[年月半]間?(?:とする|とし|有効|存続|効力|、自動)|年とする|か月とし|効力を有する)|期間[:は][^。]{0,60}(?:[0-9一二三四五六七八九十]年|月)", r"保証|秘密保持|義務は|の規定は|試用期間|競業|勧誘|支払|旧契約"),
    _rule("renewal_term", "", rf"{_RENEWS}(?:され|する|した|でき|とし|は|を|しない|に)", r"更新料|更新後の?月額|更新の日|継続的|改定|履行を"),
    _rule("notice_period_to_terminate_renewal", "", rf"(?:満了|終了)[^。]{{0,14}}前(?:まで)?[^。]{{0,60}}(?:ない|なき)[^。]{{0,80}}(?:{_RENEWS}|同様)|前までに[^。]{{0,30}}(?:更新しない|更新拒絶)[^。]{{0,60}}", r"合意が成立|改定"),
    _rule("termination_for_convenience", r"中途解約|期間内解約|任意解約|解約の申入れ|期間中の解約", r"(?:いつでも|理由の?(?:如何|いかん)|都合により|予告|前(?:まで)?[にの][^。]{0,40}(?:通知|申し?入れ))[^。]{0,60}(?:解約|終了)(?:さ?せ)?[^。]{0,14}でき|いつでも[^。]{0,40}解除[^。]{0,14}でき|終了を申し入れない限り|(?:解約|終了させ)[^。]{0,10}(?:できない|できません)",
          r"違反|不履行|破産|差押|催告|満了|怠っ|改定"),
    _rule("termination_for_cause", r"^[^(]*[(](?:契約の?)?解除", r"(?:違反|不履行|破産|差押|支払停止|各号|変更が?生じ|達成できない|該当)[^。]{0,120}(?:解除|解約)(?:する)?[^。]{0,12}でき", r""),
    _rule("suspension", r"利用の?停止|提供の?停止|サービスの停止", r"(?:提供|サービス|利用|履行)[^。]{0,20}停止することができる"),
    _rule("cap_on_liability", "", r"(?:損害|賠償|責任)[^。]{0,160}(?:上限と|限度と|(?:上限|限度)は|超えない|超えて[^。]{0,20}負わない|範囲内)", r"保険|上限を?(?:設け|定め)ない"),
    _rule("uncapped_liability", "", r"(?:損害|賠償|責任)[^。]{0,80}(?:上限|限度)(?:は|を|が)?(?:設け|定め|な)(?:ない|ず|い)|責任[^。]{0,20}無制限", r"保険"),
    _rule("liquidated_damages", r"違約金|損害賠償額の予定", r"違約金"),
    _rule("indemnity", r"補償|第三者の?(?:権利|請求)", r"第三者[^。]{0,80}(?:請求|権利)[^。]{0,100}(?:補償|費用と責任|損害を賠償)|被った損害を補償", r"保険"),
    _rule("insurance", r"保険", _INSURED, r""),
    _rule("acceptance", r"検収|検査|受入", r"検収(?:を行|する)|検査(?:を行|し|に合格)[^。]{0,60}(?:合格|検収|異議)|検査に合格したものとみな", r"検収完了(?:日|後|時)|検査合格後|帳簿|監査"),
    _rule("delivery", r"納入|納品|引渡|危険負担|所有権", r"(?:納入|納品|引渡|引き渡)(?:し|する|す)[^。]{0,10}(?:ものとする|。|なければ)|納入する|危険(?:負担)?[^。]{0,30}(?:移転|負担)|所有権[^。]{0,40}移転|滅失[^。]{0,30}負担", r"検査"),
    _rule("warranty", r"契約不適合|瑕疵|保証(?!金|人)|品質", r"契約不適合[^。]{0,80}(?:修補|責任|追完)|無償で[^。]{0,10}(?:修理|修補|交換)|適合することを保証|瑕疵", r"反社会|暴力団"),
    _rule("warranty_duration", "", r"(?:引渡|検収|納入|納品)[^。]{0,14}(?:年|月|日)間?(?:以内に|間?、)?[^。]{0,40}(?:不適合|瑕疵|不良|保証|適合すること|欠陥)", r"検査"),
    _rule("ip_ownership_assignment", r"(?:権利|著作権|知的財産権?)の(?:帰属|譲渡|移転)", r"(?:著作権|知的財産権|特許を受ける権利|所有権及び著作権)[^。]{0,80}(?:移転|譲渡|帰属)", r"共有|債権"),
    _rule("joint_ip_ownership", "", r"(?:知的財産|著作権|特許|成果)[^。]{0,60}共有"),
    _rule("license_grant", r"(?:使用|利用)許諾|ライセンスの許諾|実施許諾", r"(?:使用権|利用権|実施権|権利|使用|ライセンス)を[^。]{0,10}(?:許諾|付与)する|(?:利用|使用|実施)することを[^。]{0,10}許諾"),
    _rule("non_transferable_license", "", r"譲渡不能(?:な|の)|譲渡(?:することの)?できない(?:使用|利用|実施)?権"),
    _rule("confidentiality", r"秘密保持|守秘|機密(?:保持)?|秘密情報", r"(?:秘密|機密)(?:情報)?(?:を|として)[^。]{0,80}(?:漏ら|漏えい|開示|保持|管理)", r""),
    _rule("data_protection", r"個人情報|個人データ|データ保護|個人番号", r"個人(?:情報|データ|番号)[^。]{0,60}(?:保護|法令|管理|取り扱|遵守)"),
    _rule("audit_rights", r"監査|立入検査|帳簿", r"監査(?:する|し|を行|を実施|を受け)|立入(?:検査|り)|帳簿[^。]{0,30}閲覧", r"監査役"),
    _rule("anti_assignment", r"(?:権利|権利義務|地位|債権)の譲渡|譲渡(?:の)?(?:禁止|制限)", r"(?:地位|権利義務|債権|権利|義務)[^。]{0,50}(?:譲渡|移転)[^。]{0,40}(?:てはならない|できない|ものとしない|しない)", r"著作"),
    _rule("change_of_control", r"支配権|経営権|株主の?変更", r"支配権|議決権の過半数[^。]{0,40}変更|合併[^。]{0,40}解除"),
    _rule("exclusivity", r"独占|専属(?!的合意|管轄)", r"独占的に[^。]{0,20}(?:利用|使用|販売|許諾)|(?:独占的(?!でない)|唯一)[^。]{0,30}(?:代理店|販売店|販売権|指定|供給|販売する権利)|以外の者(?:に|から)[^。]{0,40}(?:ない|ならない)|からのみ購入", r"非独占|管轄"),
    _rule("non_compete", r"競業|競合(?:品|避止|禁止)", r"競合する[^。]{0,40}(?:ならない|行わない|しない)|競業(?:を|に)[^。]{0,30}(?:ならない|しない)"),
    _rule("no_solicit_of_employees", r"引き?抜き|勧誘", r"従業員[^。]{0,30}(?:勧誘|引き抜|雇用)[^。]{0,30}(?:ならない|しない)"),
    _rule("no_solicit_of_customers", "", r"顧客[^。]{0,30}勧誘[^。]{0,30}(?:ならない|しない)"),
    _rule("publicity", r"広報|宣伝|公表|商標の使用|導入事例", r"(?:名称|商号|商標|ロゴ)[^。]{0,40}(?:使用し|表示|公表|広告|宣伝)|導入事例", r"侵害|知的財産権"),
    _rule("order_of_precedence", r"優先(?:順位|関係|適用)", r"(?:相違|矛盾|抵触|齟齬)[^。]{0,60}優先"),
    _rule("entire_agreement", r"完全(?:な)?合意", r"完全(?:かつ[^。]{0,10})?(?:なる|な)?合意|合意の(?:すべて|全て)|従前の[^。]{0,30}合意[^。]{0,30}(?:優先|取って代|失効)"),
    _rule("governing_law", r"準拠法", r"準拠法|法(?:令|律)?に(?:準拠|従って解釈)|を準拠法"),
    _rule("dispute_resolution", r"管轄|紛争|仲裁", rf"管轄裁判所|{_COURT}[^。]{{0,40}}(?:解決|とする|より)|仲裁(?:により|に付)"),
    _rule("service_credits", r"サービス(?:水準|レベル)|SLA", r"(?:稼働率|サービスレベル)[^。]{0,100}(?:減額|返金|控除)"),
    _rule("post_termination_services", "", r"(?:契約|本契約)の?終了(?:後|時)[^。]{0,60}(?:引継|引き継|移行支援|取り出せる)"),
    _rule("most_favored_nation", r"最恵", r"最恵(?:待遇|条件)|他の(?:顧客|取引先)[^。]{0,40}有利な(?:条件|価格)"),
    _rule("source_code_escrow", r"エスクロウ", r"ソースコード[^。]{0,40}(?:寄託|預託|エスクロウ)"),
)  # fmt: skip

_NOT_A_CLAUSE = re.compile(r"^[^。]{0,12}「[^」]{1,30}」とは|(?:規定|義務|条項)[^。]{0,60}存続")


def clauses(text: str, spans: Sequence[tuple[int, int]]) -> list[Clause]:
    """The clauses of a Japanese document, quoted as they stand in it."""
    within = articles(text)
    told: list[Clause] = []
    for article, lines in _by_article(text, spans, within):
        for rule in RULES:
            told += _in_article(rule, text, article, lines)
    return told


def _by_article(
    text: str, spans: Sequence[tuple[int, int]], within: Sequence[Article]
) -> Iterable[tuple[Article | None, list[Line]]]:
    """The lines of each article, and one by one those that stand in none."""
    inside: dict[int, list[Line]] = {}
    for start, end in spans:
        sentence = Sentence(start, text[start:end], "")
        middle = start + (end - start) // 2
        number = next((i for i, one in enumerate(within) if one.start <= middle < one.end), None)
        if number is None:
            yield None, [Line(sentence, "")]
        else:
            inside.setdefault(number, []).append(Line(sentence, within[number].heading))
    for number, lines in inside.items():
        yield within[number], lines


def _in_article(rule: ClauseRule, text: str, article: Article | None, lines: Sequence[Line]) -> Iterable[Clause]:
    hits = [line for line in lines if _says(rule, line)]
    named = bool(article and rule.heading and rule.heading.search(article.heading))
    if named and not hits and not _called_off(rule, lines):
        hits = [line for line in lines if len(line.text) > len(article.heading) + 4]
    for start, end in _runs(hits):
        yield Clause(
            clause_type=rule.clause_type,
            text=text[start:end],
            heading=article.heading if article else None,
            start=start,
            confidence=0.85 if named else 0.65,
        )


def _says(rule: ClauseRule, line: Line) -> bool:
    body = line.text.removeprefix(line.heading)
    if rule.phrase is None or _NOT_A_CLAUSE.search(body) or not rule.phrase.search(body):
        return False
    return not (rule.unless and rule.unless.search(body))


def _called_off(rule: ClauseRule, lines: Sequence[Line]) -> bool:
    body = "".join(line.text.removeprefix(line.heading) for line in lines)
    return bool(rule.unless and rule.unless.search(body))


def _runs(hits: Sequence[Line]) -> Iterable[tuple[int, int]]:
    """Spans of the lines, those that follow each other closely as one."""
    spans = [(line.sentence.start, line.sentence.start + len(line.sentence.text)) for line in hits]
    run: tuple[int, int] | None = None
    for start, end in spans:
        if run and start - run[1] < 8 and end - run[0] < LONGEST_QUOTE:
            run = (run[0], end)
            continue
        if run:
            yield run
        run = (start, end)
    if run:
        yield run
