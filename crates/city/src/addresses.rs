//! Where things lie and how an address reads.

use crate::regions::{County, Township};
use crate::rng::{Rng, Seed, Topic};
use crate::villages::Village;

/// Rough middles of the counties (code of six digits, longitude, latitude), rounded to about a kilometre.
const CENTRES: [(i64, f64, f64); 60] = [
    (410202, 114.31, 34.80),
    (410203, 114.38, 34.81),
    (410204, 114.34, 34.79),
    (410205, 114.35, 34.77),
    (410212, 114.44, 34.76),
    (410221, 114.78, 34.55),
    (410222, 114.47, 34.48),
    (410223, 114.19, 34.41),
    (410225, 114.82, 34.82),
    (420202, 115.07, 30.22),
    (420203, 115.11, 30.20),
    (420204, 114.96, 30.17),
    (420205, 114.90, 30.21),
    (420222, 115.22, 29.83),
    (420281, 114.98, 30.10),
    (370702, 119.03, 36.73),
    (370703, 119.21, 36.76),
    (370704, 119.17, 36.65),
    (370705, 119.13, 36.71),
    (370724, 118.54, 36.51),
    (370725, 118.83, 36.71),
    (370772, 119.05, 37.05),
    (370781, 118.48, 36.69),
    (370782, 119.41, 36.00),
    (370783, 118.79, 36.86),
    (370784, 119.22, 36.48),
    (370785, 119.76, 36.38),
    (370786, 119.40, 36.84),
    (210102, 123.42, 41.79),
    (210103, 123.46, 41.80),
    (210104, 123.49, 41.81),
    (210105, 123.43, 41.83),
    (210106, 123.38, 41.80),
    (210111, 123.34, 41.66),
    (210112, 123.45, 41.72),
    (210113, 123.53, 42.05),
    (210114, 123.31, 41.79),
    (210115, 122.73, 41.51),
    (210123, 123.35, 42.74),
    (210124, 123.44, 42.50),
    (210181, 122.83, 42.00),
    (210602, 124.40, 40.14),
    (210603, 124.36, 40.11),
    (210604, 124.43, 40.16),
    (210624, 124.78, 40.73),
    (210681, 124.15, 39.86),
    (210682, 124.07, 40.45),
    (210802, 122.26, 40.67),
    (210803, 122.21, 40.67),
    (210804, 122.12, 40.23),
    (210811, 122.38, 40.68),
    (210881, 122.35, 40.40),
    (210882, 122.51, 40.65),
    (211202, 123.84, 42.29),
    (211204, 124.16, 42.55),
    (211221, 123.73, 42.22),
    (211223, 124.73, 42.74),
    (211224, 124.11, 42.79),
    (211281, 123.57, 42.47),
    (211282, 124.04, 42.55),
];

/// Middle of a county; one we do not know lies near the first known county of its city, or of Kaifeng.
pub fn centre_of(county: i64) -> (f64, f64) {
    let code = county / 1_000_000;
    let exact = CENTRES.iter().find(|centre| centre.0 == code);
    let near = || CENTRES.iter().find(|centre| centre.0 / 100 == code / 100).unwrap_or(&CENTRES[0]);
    let (_, lon, lat) = exact.unwrap_or_else(near);
    (*lon, *lat)
}

/// Point `at` of `all` spread evenly over a disc of `radius_km`, like the seeds of a sunflower: never two in one spot.
pub fn spiral(lon: f64, lat: f64, radius_km: f64, at: u32, all: u32) -> (f64, f64) {
    const GOLDEN_ANGLE: f64 = 2.399_963;
    let distance = radius_km * ((f64::from(at) + 0.5) / f64::from(all.max(1))).sqrt();
    let angle = GOLDEN_ANGLE * f64::from(at);
    moved(lon, lat, distance * angle.cos(), distance * angle.sin())
}

/// A point so many kilometres to the east and north, rounded to ten centimetres.
pub fn moved(lon: f64, lat: f64, east_km: f64, north_km: f64) -> (f64, f64) {
    const KM_PER_DEGREE: f64 = 111.32;
    let lon = lon + east_km / (KM_PER_DEGREE * lat.to_radians().cos());
    let lat = lat + north_km / KM_PER_DEGREE;
    ((lon * 1e6).round() / 1e6, (lat * 1e6).round() / 1e6)
}

/// A home near the middle of its village.
pub fn home_point(village: &Village, rng: &mut Rng) -> (f64, f64) {
    let spread = if village.urban() { 0.18 } else { 0.26 };
    moved(village.lon, village.lat, rng.bell() * spread, rng.bell() * spread)
}

/// A full postal address: city flat or village house. Roads and estates belong to the village, so neighbours share them.
pub fn home_address(
    seed: Seed,
    county: &County,
    township: &Township,
    village: &Village,
    rng: &mut Rng,
) -> String {
    let mut text = String::with_capacity(120);
    for part in [&county.province, &county.city, &county.name, &township.name, &village.name] {
        text.push_str(part);
    }
    let mut own = seed.stream(Topic::Roads, village.code as u64);
    if !village.urban() {
        let groups = own.between(3, 9);
        text.push_str(&format!("{}组{}号", rng.between(1, groups), rng.between(1, 180)));
        return text;
    }
    let roads = [*own.pick(&ROADS), *own.pick(&ROADS), *own.pick(&ROADS)];
    let estates = [*own.pick(&ESTATES), *own.pick(&ESTATES)];
    let road = rng.pick(&roads);
    let number = rng.between(1, 160);
    if rng.chance(220) {
        // Courtyard houses of the old town have no flats.
        text.push_str(&format!("{road}{number}号院{}号", rng.between(1, 24)));
    } else {
        let estate = rng.pick(&estates);
        let (block, entrance) = (rng.between(1, 18), rng.between(1, 4));
        let flat = rng.between(1, 6) * 100 + rng.between(1, 3);
        text.push_str(&format!("{road}{number}号{estate}{block}号楼{entrance}单元{flat}室"));
    }
    text
}

const ROADS: [&str; 40] = [
    "解放路",
    "中山路",
    "建设路",
    "人民路",
    "和平路",
    "新华路",
    "文昌街",
    "迎宾路",
    "劳动路",
    "向阳路",
    "黄河路",
    "公园路",
    "东大街",
    "西大街",
    "南大街",
    "北大街",
    "育新街",
    "青年路",
    "滨河路",
    "湖滨路",
    "学院路",
    "体育路",
    "民生街",
    "纺织路",
    "机场路",
    "车站街",
    "河道街",
    "书院街",
    "寺前街",
    "后营街",
    "演武厅街",
    "财政厅街",
    "花井街",
    "穆家桥街",
    "双龙巷",
    "眼光庙街",
    "县前街",
    "城隍庙街",
    "文化路",
    "振兴路",
];
const ESTATES: [&str; 24] = [
    "锦绣家园",
    "阳光花园",
    "机械厂家属院",
    "教师新村",
    "金桂苑",
    "民政局家属院",
    "化肥厂家属院",
    "翠湖苑",
    "安康小区",
    "祥和小区",
    "纺织厂家属院",
    "供销社家属院",
    "铁路家属院",
    "粮食局家属院",
    "明珠小区",
    "东苑小区",
    "和谐家园",
    "福寿苑",
    "松鹤园",
    "梧桐院",
    "水电家属院",
    "运输公司家属院",
    "世纪新城",
    "书香苑",
];
