//! Communities and villages below each township: codes, names, where they lie, how many elders live there.
//!
//! The code list stops at the townships and only counts what is below. Codes follow the national rule, residents'
//! committees from 001 and village committees from 200, so they look right and keep the ranges of their township.

use std::collections::HashSet;

use crate::addresses::{centre_of, spiral};
use crate::names;
use crate::regions::{County, RegionTree, Township, TownshipKind};
use crate::rng::{Rng, Seed, Topic, apportion};

/// What the committee of a village is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committee {
    /// 居民委员会: a town or city community.
    Residents,
    /// 村民委员会: a village.
    Villagers,
    /// Farms and the like without a committee of their own.
    Other,
}

/// A community or village, level 5.
#[derive(Debug, Clone, PartialEq)]
pub struct Village {
    /// 12-digit code inside its township's range.
    pub code: i64,
    /// Name, unique inside its county, for instance 文昌街社区 or 前李楼村.
    pub name: String,
    /// Index of its township in the city's list.
    pub township: usize,
    /// Kind of committee.
    pub committee: Committee,
    /// Longitude of its middle.
    pub lon: f64,
    /// Latitude of its middle.
    pub lat: f64,
    /// Index of its first elder.
    pub first: u32,
    /// How many elders live here.
    pub people: u32,
}

impl Village {
    /// Lies in a town or city: flats and roads instead of groups and house numbers.
    pub fn urban(&self) -> bool {
        self.committee == Committee::Residents
    }

    /// Indices of the elders living here.
    pub fn indices(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.people
    }
}

/// Elders in a town community for one in a village; with it four of ten elders live in towns.
const URBAN_WEIGHT: u64 = 3;

/// Streets with more units than this were drawn around villages; only their core is town.
const STREET_OF_COMMUNITIES_MAX: u16 = 40;

/// Makes all villages, ordered by code, with exactly `people` elders in them.
pub fn found(tree: &RegionTree, people: u32, seed: Seed) -> Vec<Village> {
    let mut villages = Vec::new();
    let mut weights = Vec::new();
    let mut taken = HashSet::new();
    let mut county = usize::MAX;
    for (at, township) in tree.townships.iter().enumerate() {
        if township.county != county {
            county = township.county;
            taken.clear();
        }
        let mut rng = seed.stream(Topic::Villages, township.code as u64);
        let (lon, lat) = township_centre(tree, at);
        for number in 0..township.village_count {
            let committee = committee(township, number);
            let spread = if township.kind == TownshipKind::Street { 1.2 } else { 4.5 };
            let (lon, lat) = spiral(lon, lat, spread, u32::from(number), u32::from(township.village_count));
            villages.push(Village {
                code: township.code + code_in_township(township, number),
                name: unique_name(committee, &mut taken, &mut rng),
                township: at,
                committee,
                lon,
                lat,
                first: 0,
                people: 0,
            });
            let size = rng.between(60, 150) as u64;
            weights.push(size * if committee == Committee::Residents { URBAN_WEIGHT } else { 1 });
        }
    }
    let mut first = 0;
    for (village, people) in villages.iter_mut().zip(apportion(people, &weights)) {
        (village.first, village.people) = (first, people);
        first += people;
    }
    villages
}

/// How many of a township's units are residents' committees; they come first.
fn residents(township: &Township) -> u16 {
    let all = township.village_count;
    match township.kind {
        TownshipKind::Street if all <= STREET_OF_COMMUNITIES_MAX => all,
        TownshipKind::Street => all.div_ceil(5),
        TownshipKind::Quasi if all <= 2 => 0,
        TownshipKind::Quasi | TownshipKind::Town => all.div_ceil(12),
        TownshipKind::Township => all / 15,
    }
}

fn committee(township: &Township, number: u16) -> Committee {
    if number < residents(township) {
        Committee::Residents
    } else if township.kind == TownshipKind::Quasi && township.village_count <= 2 {
        Committee::Other
    } else {
        Committee::Villagers
    }
}

fn code_in_township(township: &Township, number: u16) -> i64 {
    let residents = residents(township);
    let (base, at) = match committee(township, number) {
        Committee::Residents => (1, number),
        Committee::Villagers => (200, number - residents),
        Committee::Other => (400, number),
    };
    assert!(at < 199, "township {} has more units of a kind than there are codes", township.code);
    base + i64::from(at)
}

/// Streets lie in the middle of a county, towns around them and townships at the edge.
fn township_centre(tree: &RegionTree, at: usize) -> (f64, f64) {
    let township = &tree.townships[at];
    let county: &County = &tree.counties[township.county];
    let siblings = tree.townships.iter().filter(|other| other.county == township.county);
    let (mut before, mut all) = (0, 0);
    for other in siblings {
        all += 1;
        before += u32::from((other.kind, other.code) < (township.kind, township.code));
    }
    let (lon, lat) = centre_of(county.code);
    // Inner districts end with 02 to 09 and are small; the other districts and the counties reach far out.
    let radius = if county.code / 1_000_000 % 100 < 10 { 6.0 } else { 17.0 };
    spiral(lon, lat, radius, before, all)
}

fn unique_name(committee: Committee, taken: &mut HashSet<String>, rng: &mut Rng) -> String {
    loop {
        let name = match committee {
            Committee::Residents => {
                format!("{}{}社区", rng.pick(&COMMUNITY_WORDS), rng.pick(&COMMUNITY_PLACES))
            }
            Committee::Villagers => village_name(rng),
            Committee::Other => {
                format!("{}{}", rng.pick(&COMMUNITY_WORDS), rng.pick(&["生活区", "家属区", "管理区"]))
            }
        };
        // Several thousand names stand against at most some hundred of a kind in a county, so this ends soon.
        if taken.insert(name.clone()) {
            return name;
        }
    }
}

fn village_name(rng: &mut Rng) -> String {
    const BEFORE: [&str; 9] = ["前", "后", "东", "西", "南", "北", "大", "小", "新"];
    const PLACES: [&str; 22] = [
        "庄", "庄", "庄", "楼", "楼", "寨", "营", "岗", "屯", "集", "店", "堂", "湾", "桥", "洼", "坡", "口",
        "堤", "砦", "园", "铺", "沟",
    ];
    const OTHER: [&str; 24] = [
        "双庙",
        "土城",
        "柳林",
        "枣林",
        "白塔",
        "石桥",
        "关帝庙",
        "三教堂",
        "龙王庙",
        "古城",
        "瓦岗",
        "青冢",
        "黑岗",
        "杏林",
        "红庙",
        "马头",
        "百亩岗",
        "十里铺",
        "八里桥",
        "五里岗",
        "三里湾",
        "百子庄",
        "大王庙",
        "水牛赵",
    ];
    let before = if rng.chance(380) { *rng.pick(&BEFORE) } else { "" };
    if rng.chance(60) {
        return format!("{before}{}村", rng.pick(&OTHER));
    }
    format!("{before}{}{}村", names::village_surname(rng), rng.pick(&PLACES))
}

const COMMUNITY_WORDS: [&str; 64] = [
    "文昌", "新华", "建设", "和平", "解放", "育新", "湖滨", "望湖", "金明", "清明", "汴京", "翠园", "东苑",
    "西苑", "南苑", "北苑", "劳动", "向阳", "红旗", "光明", "幸福", "康乐", "安居", "锦绣", "华夏", "中山",
    "人民", "黄河", "迎宾", "青年", "民生", "祥和", "顺城", "南关", "北关", "东关", "西关", "书店", "州桥",
    "铁塔", "花园", "梅园", "桃园", "杏园", "槐荫", "柳园", "学府", "学院", "纺织", "机械", "化肥", "铁路",
    "邮政", "公园", "体育", "医院", "火神", "城隍", "钟楼", "鼓楼", "河滨", "滨河", "仁和", "永安",
];
const COMMUNITY_PLACES: [&str; 10] = ["", "街", "路", "里", "园", "苑", "门", "新村", "东街", "西街"];
