//! Chinese names as a generation bears them.
//!
//! Surnames follow their real frequency. Given names follow sex and year of birth: 秀英 and 桂兰 before the war, 建国 and
//! 援朝 after it, single characters in the seventies. Lists are our own, from general knowledge.

use crate::births::Sex;
use crate::rng::Rng;

/// Surnames with how many of ten thousand people bear them.
const SURNAMES: &[(&str, u32)] = &[
    ("王", 725),
    ("李", 719),
    ("张", 683),
    ("刘", 538),
    ("陈", 453),
    ("杨", 308),
    ("赵", 229),
    ("黄", 223),
    ("周", 202),
    ("吴", 200),
    ("徐", 166),
    ("孙", 152),
    ("胡", 131),
    ("朱", 126),
    ("高", 121),
    ("林", 118),
    ("何", 117),
    ("郭", 115),
    ("马", 114),
    ("罗", 86),
    ("梁", 84),
    ("宋", 81),
    ("郑", 78),
    ("谢", 72),
    ("韩", 70),
    ("唐", 69),
    ("冯", 66),
    ("于", 65),
    ("董", 63),
    ("萧", 59),
    ("程", 57),
    ("曹", 57),
    ("袁", 54),
    ("邓", 54),
    ("许", 54),
    ("傅", 51),
    ("沈", 50),
    ("曾", 50),
    ("彭", 50),
    ("吕", 47),
    ("苏", 45),
    ("卢", 45),
    ("蒋", 45),
    ("蔡", 44),
    ("贾", 43),
    ("丁", 42),
    ("魏", 42),
    ("薛", 40),
    ("叶", 40),
    ("阎", 39),
    ("余", 39),
    ("潘", 38),
    ("杜", 37),
    ("戴", 36),
    ("夏", 36),
    ("钟", 35),
    ("汪", 35),
    ("田", 35),
    ("任", 34),
    ("姜", 34),
    ("范", 33),
    ("方", 33),
    ("石", 32),
    ("姚", 31),
    ("谭", 31),
    ("廖", 31),
    ("邹", 30),
    ("熊", 30),
    ("金", 29),
    ("陆", 29),
    ("郝", 28),
    ("孔", 27),
    ("白", 27),
    ("崔", 27),
    ("康", 26),
    ("毛", 25),
    ("邱", 25),
    ("秦", 25),
    ("江", 24),
    ("史", 24),
    ("顾", 23),
    ("侯", 23),
    ("邵", 22),
    ("孟", 22),
    ("龙", 21),
    ("万", 21),
    ("段", 21),
    ("雷", 20),
    ("钱", 20),
    ("汤", 19),
    ("尹", 19),
    ("黎", 18),
    ("易", 18),
    ("常", 18),
    ("武", 18),
    ("乔", 17),
    ("贺", 17),
    ("赖", 16),
    ("龚", 16),
    ("文", 16),
    ("申", 14),
    ("樊", 13),
    ("安", 13),
    ("邢", 12),
    ("路", 11),
    ("岳", 11),
    ("齐", 11),
    ("耿", 10),
    ("牛", 10),
    ("关", 9),
    ("欧阳", 7),
    ("司马", 2),
    ("上官", 1),
];

/// Names of people born about the same time.
struct Generation {
    /// Whole given names that were common.
    whole: &'static [&'static str],
    /// First and second characters of other names.
    first: &'static [&'static str],
    second: &'static [&'static str],
    /// Of a thousand people, how many bear one of the whole names and how many a single character.
    whole_per_mille: u32,
    single_per_mille: u32,
}

const MEN_OLD: Generation = Generation {
    whole: &[
        "德福", "长顺", "金山", "有才", "明义", "玉堂", "福来", "万福", "文斌", "振海", "永年", "广田",
        "世昌", "兆祥", "保林", "喜贵", "怀德", "庆云", "树德", "宝山",
    ],
    first: &[
        "德", "长", "金", "有", "明", "玉", "福", "万", "文", "振", "永", "广", "世", "兆", "怀", "树", "守",
        "清", "光", "景",
    ],
    second: &[
        "福", "顺", "山", "才", "义", "堂", "来", "贵", "田", "海", "年", "祥", "林", "德", "云", "仁", "礼",
        "成", "全", "太",
    ],
    whole_per_mille: 300,
    single_per_mille: 20,
};
const WOMEN_OLD: Generation = Generation {
    whole: &[
        "秀英", "桂英", "秀兰", "玉兰", "凤英", "兰英", "素珍", "桂兰", "淑英", "玉英", "桂芝", "秀芝",
        "玉珍", "淑珍", "凤兰", "巧云", "翠英", "瑞兰", "素云", "春兰",
    ],
    first: &[
        "秀", "桂", "玉", "凤", "兰", "素", "淑", "翠", "巧", "瑞", "春", "金", "银", "爱", "月", "荣", "惠",
        "香",
    ],
    second: &["英", "兰", "珍", "芝", "云", "荣", "莲", "花", "梅", "贞", "芳", "枝", "琴", "娥", "仙", "菊"],
    whole_per_mille: 420,
    single_per_mille: 5,
};
const MEN_FORTIES: Generation = Generation {
    whole: &[
        "建国", "国庆", "解放", "援朝", "志远", "保国", "德胜", "长海", "新民", "天福", "永福", "国华",
        "振华", "家和", "和平", "光明", "凤山", "明德", "胜利", "全喜",
    ],
    first: &[
        "建", "国", "新", "保", "长", "永", "德", "振", "家", "志", "天", "明", "铁", "根", "金", "连", "玉",
        "正", "学", "文",
    ],
    second: &[
        "国", "华", "民", "海", "福", "胜", "山", "明", "才", "生", "成", "喜", "安", "义", "法", "贵", "友",
        "合", "林", "岭",
    ],
    whole_per_mille: 330,
    single_per_mille: 30,
};
const WOMEN_FORTIES: Generation = Generation {
    whole: &[
        "秀英", "桂兰", "玉兰", "秀兰", "桂芳", "玉梅", "秀珍", "淑芳", "素芳", "爱莲", "爱英", "玉荣",
        "凤琴", "改花", "翠兰", "秀云", "月英", "淑兰", "兰芝", "桂荣",
    ],
    first: &[
        "秀", "桂", "玉", "淑", "素", "爱", "凤", "翠", "月", "改", "新", "建", "春", "荣", "雪", "美", "香",
        "慧",
    ],
    second: &[
        "英", "兰", "芳", "梅", "珍", "荣", "琴", "云", "花", "莲", "芝", "枝", "霞", "华", "香", "敏", "平",
        "玲",
    ],
    whole_per_mille: 380,
    single_per_mille: 15,
};
const MEN_SIXTIES: Generation = Generation {
    whole: &[
        "建军", "卫国", "跃进", "建设", "保军", "红军", "卫东", "爱民", "国强", "建民", "永强", "志强",
        "建中", "国平", "文革", "向阳", "学军", "海军", "铁军", "自立",
    ],
    first: &[
        "建", "卫", "国", "红", "志", "永", "学", "海", "爱", "新", "文", "东", "春", "向", "庆", "俊", "宏",
        "忠",
    ],
    second: &[
        "军", "国", "民", "强", "平", "东", "红", "华", "生", "林", "伟", "涛", "设", "胜", "杰", "明", "峰",
        "波",
    ],
    whole_per_mille: 340,
    single_per_mille: 110,
};
const WOMEN_SIXTIES: Generation = Generation {
    whole: &[
        "秀梅", "爱华", "红霞", "玉霞", "桂花", "建华", "小红", "秀荣", "爱玲", "春梅", "秀丽", "玉玲",
        "丽华", "淑敏", "慧敏", "艳红", "国英", "巧玲", "凤霞", "文英",
    ],
    first: &[
        "秀", "爱", "红", "玉", "春", "丽", "慧", "艳", "巧", "凤", "小", "文", "建", "海", "雪", "俊", "瑞",
        "美",
    ],
    second: &[
        "梅", "华", "霞", "玲", "红", "荣", "丽", "敏", "英", "芳", "萍", "琴", "娟", "青", "勤", "珍", "燕",
        "云",
    ],
    whole_per_mille: 330,
    single_per_mille: 100,
};
const MEN_LATER: Generation = Generation {
    whole: &[
        "志强", "海涛", "俊杰", "晓东", "建伟", "永刚", "文涛", "宏伟", "春雷", "少华", "明亮", "振宇",
        "世杰", "浩然", "天宇",
    ],
    first: &["志", "海", "俊", "晓", "建", "永", "文", "宏", "少", "明", "振", "世", "天", "子", "鹏", "国"],
    second: &["强", "涛", "杰", "东", "伟", "刚", "雷", "华", "亮", "宇", "飞", "鹏", "辉", "博", "斌", "磊"],
    whole_per_mille: 250,
    single_per_mille: 330,
};
const WOMEN_LATER: Generation = Generation {
    whole: &[
        "晓燕", "丽娟", "海燕", "艳丽", "晓红", "丽娜", "春燕", "俊霞", "雪梅", "文静", "婷婷", "佳怡",
        "梦洁", "瑞雪", "彩霞",
    ],
    first: &["晓", "丽", "海", "艳", "春", "俊", "雪", "文", "佳", "梦", "瑞", "彩", "静", "思", "雅", "慧"],
    second: &["燕", "娟", "丽", "红", "娜", "霞", "梅", "静", "婷", "怡", "洁", "雪", "敏", "莹", "萍", "颖"],
    whole_per_mille: 250,
    single_per_mille: 280,
};

/// A surname, as often as it is in life.
pub fn surname(rng: &mut Rng) -> &'static str {
    const TOTAL: u32 = total();
    let mut left = rng.below(TOTAL);
    for (name, weight) in SURNAMES {
        if left < *weight {
            return name;
        }
        left -= weight;
    }
    SURNAMES[0].0
}

const fn total() -> u32 {
    let (mut sum, mut at) = (0, 0);
    while at < SURNAMES.len() {
        sum += SURNAMES[at].1;
        at += 1;
    }
    sum
}

/// Full name with the given surname for somebody of this sex and year of birth.
pub fn full_name(surname: &str, sex: Sex, birth_year: i16, rng: &mut Rng) -> String {
    // The oldest village women are still on the books as 王氏, often behind their husband's surname.
    if sex == Sex::Female && birth_year < 1932 && rng.chance(90) {
        return format!("{}{surname}氏", crate::names::surname(rng));
    }
    let names = generation(sex, birth_year);
    let kind = rng.below(1000);
    if kind < names.whole_per_mille {
        return format!("{surname}{}", rng.pick(names.whole));
    }
    if kind < names.whole_per_mille + names.single_per_mille {
        return format!("{surname}{}", rng.pick(names.second));
    }
    let (first, second) = (*rng.pick(names.first), *rng.pick(names.second));
    if first == second {
        return format!("{surname}{first}");
    }
    format!("{surname}{first}{second}")
}

fn generation(sex: Sex, birth_year: i16) -> &'static Generation {
    match (sex, birth_year) {
        (Sex::Male, ..1940) => &MEN_OLD,
        (Sex::Male, 1940..1953) => &MEN_FORTIES,
        (Sex::Male, 1953..1970) => &MEN_SIXTIES,
        (Sex::Male, 1970..) => &MEN_LATER,
        (Sex::Female, ..1940) => &WOMEN_OLD,
        (Sex::Female, 1940..1953) => &WOMEN_FORTIES,
        (Sex::Female, 1953..1970) => &WOMEN_SIXTIES,
        (Sex::Female, 1970..) => &WOMEN_LATER,
    }
}

/// Surnames villages are named after: any but the rarest.
pub fn village_surname(rng: &mut Rng) -> &'static str {
    SURNAMES[rng.below(108) as usize].0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Seed, Topic};

    #[test]
    fn wang_li_and_zhang_lead_as_in_life() {
        let mut rng = Seed(5).stream(Topic::Person, 0);
        let drawn: Vec<&str> = (0..20_000).map(|_| surname(&mut rng)).collect();
        let count = |name| drawn.iter().filter(|drawn| **drawn == name).count();
        assert!((1350..2050).contains(&count("王")), "{}", count("王"));
        assert!(count("王") > count("刘") && count("刘") > count("杨") && count("杨") > count("欧阳"));
    }

    #[test]
    fn a_name_fits_its_generation() {
        let mut rng = Seed(5).stream(Topic::Person, 1);
        let mut draw =
            |sex, year| -> Vec<String> { (0..4000).map(|_| full_name("王", sex, year, &mut rng)).collect() };
        let has = |names: &[String], name: &str| names.iter().any(|of| of == name);
        let (women_1935, men_1965) = (draw(Sex::Female, 1935), draw(Sex::Male, 1965));
        assert!(has(&women_1935, "王秀英") && !has(&women_1935, "王建军"));
        assert!(has(&men_1965, "王建军") && !has(&men_1965, "王秀英"));
        assert!(draw(Sex::Female, 1925).iter().any(|name| name.ends_with("王氏")));
        assert!(!women_1935.iter().any(|name| name.ends_with('氏')));
    }
}
