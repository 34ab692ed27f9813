"""What names of companies are made of, for whoever compares them."""

LEGAL_FORMS = (
    r"Inc(?:orporated)?\.?|INC(?:ORPORATED)?\.?|Corp(?:oration)?\.?|CORP(?:ORATION)?\.?|L\.?L\.?C\.?|L\.?L\.?P\.?|"
    r"L\.P\.|LP|Co\.,?\s+Ltd\.?|Pty\.?\s+Ltd\.?|Pte\.?\s+Ltd\.?|Ltd\.?|LTD\.?|Limited|LIMITED|PLC|plc|p\.l\.c\.|GmbH|"
    r"AG|SE|ASA|A/S|S\.A\.R\.L\.|S\.A\.S?\.?|SAS|SARL|S\.p\.A\.|S\.r\.l\.|N\.V\.|B\.V\.|BV|K\.K\.|KK|Co\.|CO\.|N\.A\."
)
"""Endings that say a name is a company's and nothing more."""

JAPANESE_FORMS = "株式会社|有限会社|合同会社"
"""The same in Japanese, before or after the name."""
