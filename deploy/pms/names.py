"""Japanese people, hotels and remarks, drawn from short lists."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

SURNAMES = (
    ("佐藤", "サトウ", "Sato"),
    ("鈴木", "スズキ", "Suzuki"),
    ("高橋", "タカハシ", "Takahashi"),
    ("田中", "タナカ", "Tanaka"),
    ("伊藤", "イトウ", "Ito"),
    ("渡邊", "ワタナベ", "Watanabe"),
    ("山本", "ヤマモト", "Yamamoto"),
    ("中村", "ナカムラ", "Nakamura"),
    ("小林", "コバヤシ", "Kobayashi"),
    ("加藤", "カトウ", "Kato"),
    ("吉田", "ヨシダ", "Yoshida"),
    ("髙﨑", "タカサキ", "Takasaki"),
    ("佐々木", "ササキ", "Sasaki"),
    ("山口", "ヤマグチ", "Yamaguchi"),
    ("松本", "マツモト", "Matsumoto"),
    ("井上", "イノウエ", "Inoue"),
    ("木村", "キムラ", "Kimura"),
    ("林", "ハヤシ", "Hayashi"),
    ("齋藤", "サイトウ", "Saito"),
    ("清水", "シミズ", "Shimizu"),
    ("森", "モリ", "Mori"),
    ("池田", "イケダ", "Ikeda"),
    ("橋本", "ハシモト", "Hashimoto"),
    ("長谷川", "ハセガワ", "Hasegawa"),
    ("小笠原", "オガサワラ", "Ogasawara"),
    ("五十嵐", "イガラシ", "Igarashi"),
)
GIVEN_NAMES = (
    ("翔太", "ショウタ", "Shota"),
    ("健一", "ケンイチ", "Kenichi"),
    ("大輔", "ダイスケ", "Daisuke"),
    ("蓮", "レン", "Ren"),
    ("悠真", "ユウマ", "Yuma"),
    ("誠", "マコト", "Makoto"),
    ("洋子", "ヨウコ", "Yoko"),
    ("由美子", "ユミコ", "Yumiko"),
    ("陽菜", "ヒナ", "Hina"),
    ("さくら", "サクラ", "Sakura"),
    ("葵", "アオイ", "Aoi"),
    ("恵", "メグミ", "Megumi"),
    ("直樹", "ナオキ", "Naoki"),
    ("和也", "カズヤ", "Kazuya"),
    ("真由美", "マユミ", "Mayumi"),
    ("ひかり", "ヒカリ", "Hikari"),
)
COMPANIES = (
    ("株式会社山海建設", "カブシキガイシャサンカイケンセツ", "Sankai Kensetsu K.K."),
    ("有限会社北斗電設", "ユウゲンガイシャホクトデンセツ", "Hokuto Densetsu Y.K."),
    ("みなと交通株式会社", "ミナトコウツウカブシキガイシャ", "Minato Kotsu K.K."),
)
FOREIGNERS = ("Emma Müller", "Jean-Luc Moreau", "Olivia Smith", "Zoë O'Neill", "Nguyễn Văn An", "김민수")
REMARKS = (
    "禁煙希望。",
    "到着は22時頃になります。",
    "アレルギー:そば、落花生。",
    "高層階をお願いします。",
    "ベビーベッド1台。",
    'Late arrival; "quiet room" please.',
    "領収書の宛名は会社名で。",
    "駐車場1台、軽自動車。",
    "記念日のためケーキ手配済み🎂",
    "連泊中の清掃不要\tタオル交換のみ\n2日目は10時以降",
)
HOTELS = (
    ("東雲ホテル", "株式会社東雲", "140-0012", "東京都品川区東雲台1-2-3", "35.620312", "139.745120"),
    (
        "港の宿 かもめ",
        "かもめ観光株式会社",
        "231-0005",
        "神奈川県横浜市中区波止場町4-5",
        "35.447507",
        "139.642345",
    ),
    ("雪見の湯 旅館", "有限会社雪見", "949-6101", "新潟県南魚沼郡雪見町湯元77", "36.935800", "138.809600"),
    ("ステイ青葉", "青葉開発株式会社", "980-0811", "宮城県仙台市青葉区一番町9-9", "38.260900", "140.872000"),
    ("ホテル南風", "南風リゾート株式会社", "900-0015", "沖縄県那覇市久茂地1-1-1", "26.214100", "127.679900"),
)
CHANNELS = ("楽天トラベル", "じゃらんnet", "Booking.com", "一休.com", "Expedia", "るるぶトラベル")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the PMS would keep as a client; the Japanese forms are None for some, as in life."""

    name: str
    kana: str | None
    kanji: str | None
    email: str | None
    phone: str | None
    legal: bool = False


def person(rng: Random) -> Person:
    """A client: mostly Japanese people, some companies, some foreigners with a latin name only."""
    number = rng.randrange(10**8)
    email = f"guest{number:08d}@example.jp" if rng.random() < 0.7 else None
    phone = f"090-{number // 10**4:04d}-{number % 10**4:04d}" if rng.random() < 0.8 else None
    dice = rng.random()
    if dice < 0.06:
        return Person(rng.choice(FOREIGNERS), None, None, email, phone)
    if dice < 0.12:
        kanji, kana, latin = rng.choice(COMPANIES)
        return Person(latin, kana, kanji, email, phone, legal=True)
    (kanji1, kana1, latin1), (kanji2, kana2, latin2) = rng.choice(SURNAMES), rng.choice(GIVEN_NAMES)
    kanji_form = f"{kanji1} {kanji2}" if dice < 0.8 else None
    return Person(f"{latin1} {latin2}", f"{kana1} {kana2}", kanji_form, email, phone)


def remark(rng: Random) -> str:
    """A comment of a line or two."""
    return "".join(rng.sample(REMARKS, rng.randint(1, 3)))


def long_remark(rng: Random, size: int) -> str:
    """A comment of about `size` bytes that compresses badly, as forwarded e-mails do: it is TOASTed."""
    lines = [remark(rng)]
    length = len(lines[0].encode())
    while length < size:
        lines.append(f"{rng.getrandbits(160):040x} {rng.choice(REMARKS)}")
        length += len(lines[-1].encode()) + 1
    return "\n".join(lines)
