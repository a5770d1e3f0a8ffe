//! How private values look where they must not be read: lists, notices, logs.

/// First 3, stars, last 2: the birth date must stay hidden, so never the usual 6 and 4.
pub fn id(number: &str) -> String {
    ends(number, 3, 2)
}

/// The first character; from four characters on also the last.
pub fn name(name: &str) -> String {
    let length = name.chars().count();
    match length {
        0 => String::new(),
        1 => "*".to_owned(),
        2 | 3 => ends(name, 1, 0),
        _ => ends(name, 1, 1),
    }
}

/// First 3, four stars, last 4.
pub fn phone(number: &str) -> String {
    ends(number, 3, 4)
}

/// Words of others in which a telephone number may stand: runs of seven digits and more keep their last two.
pub fn numbers_in(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_digit() {
            run.push(c);
            continue;
        }
        match run.len() {
            0..7 => out.push_str(&run),
            length => {
                out.push_str(&"*".repeat(length - 2));
                out.push_str(&run[length - 2..]);
            }
        }
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// Down to the community and no further: the caller gives the names of the regions, the house
/// never enters.
pub fn address(regions: &[&str]) -> String {
    let mut shown: Vec<&str> = regions.iter().map(|r| r.trim()).filter(|r| !r.is_empty()).collect();
    shown.push("***");
    shown.join(" ")
}

/// The last four digits.
pub fn bank_card(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(|c| !c.is_whitespace()).collect();
    match digits.len() {
        0 => String::new(),
        1..=7 => "****".to_owned(),
        length => format!("**** {}", digits[length - 4..].iter().collect::<String>()),
    }
}

/// Keeps `head` and `tail` characters. A value too short to hide anything behind them is hidden
/// whole, because "first 3 and last 4" of seven digits would be everything.
fn ends(value: &str, head: usize, tail: usize) -> String {
    let chars: Vec<char> = value.chars().collect();
    let hidden = chars.len().saturating_sub(head + tail);
    let least = if head + tail > 3 { 3 } else { 1 };
    if hidden < least {
        return "*".repeat(chars.len());
    }
    let first: String = chars[..head].iter().collect();
    let last: String = chars[chars.len() - tail..].iter().collect();
    format!("{first}{}{last}", "*".repeat(hidden))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_the_words_of_others_are_hidden() {
        assert_eq!(numbers_in("13800001111 空号，第 2 次"), "*********11 空号，第 2 次");
        assert_eq!(numbers_in("错误 503"), "错误 503");
        assert_eq!(numbers_in("转 03712345678"), "转 *********78");
    }

    #[test]
    fn masks_hide_what_the_sheet_says() {
        assert_eq!(id("11010519491231001X"), "110*************1X");
        assert_eq!(id("410299194002290011"), "410*************11");
        assert_eq!(name("王秀英"), "王**");
        assert_eq!(name("王芳"), "王*");
        assert_eq!(name("欧阳小清"), "欧**清");
        assert_eq!(name("王"), "*");
        assert_eq!(phone("13812345678"), "138****5678");
        assert_eq!(address(&["龙亭区", "北书店街"]), "龙亭区 北书店街 ***");
        assert_eq!(address(&["龙亭区", " "]), "龙亭区 ***");
        assert_eq!(bank_card("6222 0200 0000 1234"), "**** 1234");
    }

    #[test]
    fn a_short_value_is_hidden_whole() {
        assert_eq!(phone("2351234"), "*******");
        assert_eq!(id("E1234"), "*****");
        assert_eq!(bank_card("1234"), "****");
        assert_eq!(name(""), "");
    }
}
