//! Names: one spelling for one person, and the initials a clerk types to find somebody.

use std::fmt;

use pinyin::ToPinyin;

use super::text;

/// The longest names on Chinese documents, with room: a transliterated name in full.
const LONGEST: usize = 50;

/// A name in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

/// Why a name was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameRefusal {
    /// Nothing there.
    #[error("没有填写姓名")]
    Empty,
    /// Too long for a name.
    #[error("姓名有{length}个字，太长了，请只填姓名")]
    Length {
        /// What was found.
        length: usize,
    },
    /// A rare character was lost on the way.
    #[error("姓名里有“{found}”，多半是生僻字没有保存下来，请重新输入这个字")]
    LostCharacter {
        /// The stand-in.
        found: char,
    },
    /// A digit or a sign.
    #[error("姓名里有“{found}”，请只填姓名，其他内容写到备注里")]
    Character {
        /// What stood there.
        found: char,
    },
}

impl NameRefusal {
    /// A stable word for programs and statistics.
    pub fn code(&self) -> &'static str {
        match self {
            NameRefusal::Empty => "name_missing",
            NameRefusal::Length { .. } => "name_length",
            NameRefusal::LostCharacter { .. } => "name_lost_character",
            NameRefusal::Character { .. } => "name_character",
        }
    }
}

impl PersonName {
    /// Reads a name as typed.
    pub fn parse(typed: &str) -> Result<PersonName, NameRefusal> {
        let name = normalise(typed);
        let length = name.chars().count();
        if length == 0 {
            return Err(NameRefusal::Empty);
        }
        if length > LONGEST {
            return Err(NameRefusal::Length { length });
        }
        if let Some(found) = name.chars().find(|c| matches!(c, '?' | '\u{FFFD}' | '□' | '*' | '＊')) {
            return Err(NameRefusal::LostCharacter { found });
        }
        if let Some(found) = name.chars().find(|&c| !belongs(c)) {
            return Err(NameRefusal::Character { found });
        }
        Ok(PersonName(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a clerk types to find this person; see [`initials`].
    pub fn initials(&self) -> String {
        initials(&self.0)
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One spelling: narrow letters, `·` for every kind of middle dot, no spaces between Chinese
/// characters (王　芳 is 王芳), one space between the words of a Latin name.
pub fn normalise(typed: &str) -> String {
    let narrow = text::narrow(typed);
    let latin = narrow.chars().all(|c| c.is_ascii() || !han(c));
    if latin {
        return narrow.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let dotted = narrow.chars().filter(|c| !c.is_whitespace()).map(|c| if dot(c) { '·' } else { c });
    dotted.collect::<String>().trim_matches('·').to_owned()
}

/// The first letters of the pinyin, lower case. The surname is read as a surname: 曾 is z, not c;
/// 尉迟 is yc. Characters without a reading are left out, Latin words count with their first letter.
pub fn initials(name: &str) -> String {
    let name = normalise(name);
    if let Some((surname, letters)) = COMPOUND.iter().find(|(surname, _)| name.starts_with(surname)) {
        return format!("{letters}{}", letters_of(&name[surname.len()..]));
    }
    let mut rest = name.chars();
    match rest.next().and_then(surname_letter) {
        Some(letter) => format!("{letter}{}", letters_of(rest.as_str())),
        None => letters_of(&name),
    }
}

/// Compound surnames with a reading of their own.
const COMPOUND: [(&str, &str); 10] = [
    ("尉迟", "yc"),
    ("单于", "cy"),
    ("长孙", "zs"),
    ("万俟", "mq"),
    ("澹台", "tt"),
    ("宰父", "zf"),
    ("皇甫", "hf"),
    ("呼延", "hy"),
    ("令狐", "lh"),
    ("鲜于", "xy"),
];

/// Characters that sound otherwise as a surname, or whose common reading a table may get wrong.
fn surname_letter(c: char) -> Option<char> {
    Some(match c {
        '薄' | '卜' | '柏' | '秘' => 'b',
        '褚' | '车' | '种' | '谌' | '晁' | '晟' => 'c',
        '盖' | '句' => 'g',
        '贾' | '纪' => 'j',
        '阚' => 'k',
        '缪' | '牟' | '宓' => 'm',
        '佴' => 'n',
        '区' => 'o',
        '朴' | '繁' | '逄' => 'p',
        '仇' | '覃' | '瞿' | '曲' | '强' => 'q',
        '任' => 'r',
        '单' | '沈' | '盛' | '折' | '召' | '佘' | '石' | '宿' => 's',
        '尉' | '隗' => 'w',
        '解' | '冼' | '洗' | '郗' => 'x',
        '乐' | '员' | '俞' | '应' | '叶' | '幺' | '么' | '於' => 'y',
        '曾' | '查' | '翟' | '臧' | '藏' | '祭' | '朱' => 'z',
        _ => return None,
    })
}

fn letters_of(text: &str) -> String {
    let mut letters = String::new();
    let mut inside_word = false;
    for c in text.chars() {
        let latin = c.is_ascii_alphabetic();
        if latin && !inside_word {
            letters.push(c.to_ascii_lowercase());
        }
        inside_word = latin;
        if let Some(letter) = c.to_pinyin().and_then(|p| p.plain().chars().next()) {
            letters.push(ascii(letter));
        }
    }
    letters
}

/// The few readings that start with an accented letter (ê, ń) are typed without it.
fn ascii(letter: char) -> char {
    match letter {
        'a'..='z' => letter,
        'ń' | 'ň' | 'ǹ' => 'n',
        'ḿ' => 'm',
        _ => 'e',
    }
}

fn dot(c: char) -> bool {
    matches!(c, '·' | '.' | '•' | '・' | '‧' | '∙' | '﹒' | '●' | '⋅' | '･' | '。')
}

fn han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF | 0x3007)
}

/// Chinese characters (those of the private area included, where older systems keep rare ones),
/// letters of any script, the middle dot, and what stands in Latin names.
fn belongs(c: char) -> bool {
    han(c)
        || c.is_alphabetic()
        || ('\u{E000}'..='\u{F8FF}').contains(&c)
        || matches!(c, '·' | ' ' | '-' | '\'' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_spelling() {
        for (typed, name) in [
            ("王 秀英", "王秀英"),
            ("王　芳", "王芳"),
            (" 李\u{200B}明\n", "李明"),
            ("买买提.阿不都拉", "买买提·阿不都拉"),
            ("买买提•阿不都拉", "买买提·阿不都拉"),
            ("买买提 ・ 阿不都拉", "买买提·阿不都拉"),
            ("ＪＯＨＮ　 Smith", "JOHN Smith"),
            ("𠮷田明", "𠮷田明"),
        ] {
            assert_eq!(PersonName::parse(typed).expect(typed).as_str(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!(PersonName::parse(" 　"), Err(NameRefusal::Empty));
        assert_eq!(PersonName::parse("张?"), Err(NameRefusal::LostCharacter { found: '?' }));
        assert_eq!(PersonName::parse("王**"), Err(NameRefusal::LostCharacter { found: '*' }));
        assert_eq!(PersonName::parse("王芳2"), Err(NameRefusal::Character { found: '2' }));
        assert_eq!(PersonName::parse("王芳（已故）"), Err(NameRefusal::Character { found: '(' }));
        assert_eq!(PersonName::parse(&"王".repeat(51)), Err(NameRefusal::Length { length: 51 }));
    }

    #[test]
    fn a_surname_is_read_as_a_surname() {
        for (name, letters) in [
            ("王秀英", "wxy"),
            ("曾国强", "zgq"),
            ("单田芳", "stf"),
            ("解晓东", "xxd"),
            ("仇英", "qy"),
            ("区小红", "oxh"),
            ("朴成", "pc"),
            ("查良", "zl"),
            ("尉迟恭", "ycg"),
            ("尉健行", "wjx"),
            ("欧阳清", "oyq"),
            ("单于明", "cym"),
            ("万俟明", "mqm"),
            ("盖文", "gw"),
            ("贾明", "jm"),
            ("翟明", "zm"),
            ("覃明", "qm"),
            ("吕丽", "ll"),
            ("乐嘉", "yj"),
            ("买买提·阿不都拉", "mmtabdl"),
            ("John Smith", "js"),
            ("", ""),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn the_commonest_surnames_are_read_right() {
        for (letter, surnames) in [
            ("a", "安艾敖"),
            ("b", "白薄卜柏毕鲍包班边卞"),
            ("c", "陈程曹蔡崔常褚车晁岑柴成池楚丛"),
            ("d", "邓董丁杜戴段邸窦狄刁"),
            ("f", "冯傅范方樊费符封"),
            ("g", "郭高龚顾葛甘耿谷管桂关盖"),
            ("h", "黄何胡韩郝侯贺洪华花霍"),
            ("j", "蒋金江贾姜季纪焦靳荆吉"),
            ("k", "孔康柯阚匡"),
            ("l", "李刘林罗梁吕卢陆廖黎龙雷赖骆路柳栾娄蔺凌冷"),
            ("m", "马孟毛莫穆苗牟梅缪闵"),
            ("n", "倪聂宁牛"),
            ("o", "欧区"),
            ("p", "彭潘庞裴蒲皮朴"),
            ("q", "秦钱邱齐乔祁曲覃瞿戚仇"),
            ("r", "任饶阮冉容荣"),
            ("s", "孙宋沈苏石史邵施申盛尚单司佘隋"),
            ("t", "唐田谭汤陶童滕佟涂"),
            ("w", "王吴魏汪万武文温翁韦卫邬"),
            ("x", "徐许谢萧薛夏熊向解冼辛邢项肖席"),
            ("y", "杨袁叶阎余姚易尹于严颜殷俞喻尤游岳乐应燕鱼"),
            ("z", "张赵周朱郑曾钟邹庄祝翟詹臧查左卓章"),
        ] {
            for surname in surnames.chars() {
                assert_eq!(initials(&surname.to_string()), letter, "{surname}");
            }
        }
    }
}
