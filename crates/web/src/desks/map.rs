//! A small map without tiles: who and what stands where, north up. It is drawn here as plain SVG: nothing is fetched for
//! it and it needs no script. What it shows always stands beside it as a list, too.

use askama::Template;
use domain::signals::errand::distance;

use crate::filters;

/// Kept free at the edges, so that a mark at the edge is whole.
const MARGIN: f64 = 26.0;
/// Marks closer than this would cover each other: they become one.
const TOUCH: f64 = 24.0;
/// Metres of a degree of latitude.
const DEGREE_METRES: f64 = 111_195.0;
/// What lies outside stands nearer to the edge than what is still on the map.
const EDGE: f64 = 14.0;
/// Distances people think in.
const ROUND_METRES: [f64; 9] =
    [200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0];
/// Rings around a home; more would be a target, not a map.
const RINGS: usize = 3;
/// Even a single point has some country around it.
const REACH_LEAST_METRES: f64 = 250.0;
/// Names told of marks that became one.
const NAMES_MAX: usize = 6;

/// Longitude and latitude.
type Degrees = (f64, f64);

/// Something to be shown.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) at: Degrees,
    /// How it looks: a class, and with it a shape.
    pub(crate) look: &'static str,
    /// One or two letters inside the mark.
    pub(crate) sign: String,
    /// Who or what it is, in a sentence.
    pub(crate) name: String,
    pub(crate) href: Option<String>,
    /// Whether it is what the page is about.
    pub(crate) chosen: bool,
    /// Where it goes next.
    pub(crate) to: Option<Degrees>,
}

impl Spot {
    pub(crate) fn new(
        at: Degrees,
        look: &'static str,
        sign: impl Into<String>,
        name: impl Into<String>,
    ) -> Spot {
        Spot { at, look, sign: sign.into(), name: name.into(), href: None, chosen: false, to: None }
    }
}

/// A mark on the drawing.
#[derive(Debug)]
struct Mark {
    x: f64,
    y: f64,
    look: &'static str,
    sign: String,
    names: Vec<String>,
    href: Option<String>,
    chosen: bool,
    /// Farther off than the map reaches.
    far: bool,
}

impl Mark {
    /// Everything that stands there, in one sentence.
    fn name(&self) -> String {
        let told = self.names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join("；");
        match self.names.len() {
            0 | 1 => told,
            // What is seen stands in what is read aloud.
            n if n > NAMES_MAX => format!("{n}：{told}……"),
            n => format!("{n}：{told}"),
        }
    }

    /// One thing's letters, or how many things.
    fn sign(&self) -> String {
        if self.names.len() > 1 { self.names.len().to_string() } else { self.sign.clone() }
    }
}

/// A ring of a distance.
#[derive(Debug)]
struct Ring {
    radius: f64,
    word: String,
}

/// The drawing. `linked`: marks are links.
#[derive(Debug, Template)]
#[template(path = "parts/map.html")]
pub(crate) struct Map {
    lang: &'static str,
    label: String,
    width: f64,
    height: f64,
    marks: Vec<Mark>,
    ways: Vec<[f64; 4]>,
    /// Around the middle; none on a map of a place.
    rings: Vec<Ring>,
    /// How long a round distance is.
    bar: Option<Ring>,
}

impl Map {
    /// Everything around the first spot, with rings of distance; what is farther off than so many metres stands at the
    /// edge, where it lies. Nothing when there is nothing beside it.
    pub(crate) fn around(
        lang: &'static str,
        label: String,
        size: (f64, f64),
        within: f64,
        spots: &[Spot],
    ) -> Option<Map> {
        let view = View::new(spots.first()?.at, size);
        let far = |spot: &Spot| {
            let (east, north) = view.metres(spot.at);
            east.hypot(north)
        };
        if spots.len() < 2 {
            return None;
        }
        let reach = spots.iter().map(far).filter(|m| *m <= within).fold(REACH_LEAST_METRES, f64::max);
        let half = size.0.min(size.1) / 2.0 - MARGIN;
        let view = View { scale: half / reach, ..view };
        let fitting = ROUND_METRES.iter().filter(|m| **m <= reach * 1.1);
        let rings = fitting.rev().take(RINGS).map(|metres| view.ring(*metres)).collect();
        Some(Map { rings, ..view.draw(lang, label, spots) })
    }

    /// All spots, as large as fits.
    pub(crate) fn over(lang: &'static str, label: String, size: (f64, f64), spots: &[Spot]) -> Option<Map> {
        let all = || spots.iter().flat_map(|s| std::iter::once(s.at).chain(s.to));
        let (lon, lat) = (span(all().map(|p| p.0))?, span(all().map(|p| p.1))?);
        let view = View::new((f64::midpoint(lon.0, lon.1), f64::midpoint(lat.0, lat.1)), size);
        let (wide, high) = view.metres((lon.1, lat.1));
        let (wide, high) = (wide.max(REACH_LEAST_METRES), high.max(REACH_LEAST_METRES));
        let scale = ((size.0 / 2.0 - MARGIN) / wide).min((size.1 / 2.0 - MARGIN) / high);
        let view = View { scale, ..view };
        let metres = ROUND_METRES.iter().rev().find(|m| **m * scale <= size.0 / 4.0);
        Some(Map { bar: metres.map(|m| view.ring(*m)), ..view.draw(lang, label, spots) })
    }

    /// Whether there is something to press.
    fn linked(&self) -> bool {
        self.marks.iter().any(|m| m.href.is_some())
    }
}

/// The least and the greatest.
fn span(all: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    all.fold(None, |seen, x| {
        let (least, most) = seen.unwrap_or((x, x));
        Some((least.min(x), most.max(x)))
    })
}

/// How places become points of the drawing.
#[derive(Debug, Clone, Copy)]
struct View {
    middle: Degrees,
    size: (f64, f64),
    /// Points of the drawing a metre.
    scale: f64,
}

impl View {
    fn new(middle: Degrees, size: (f64, f64)) -> View {
        View { middle, size, scale: 0.0 }
    }

    /// Metres east and north of the middle: a town is flat enough for this.
    fn metres(&self, (lon, lat): Degrees) -> (f64, f64) {
        let east = (lon - self.middle.0) * self.middle.1.to_radians().cos();
        (east * DEGREE_METRES, (lat - self.middle.1) * DEGREE_METRES)
    }

    fn point(&self, at: Degrees) -> (f64, f64) {
        let (east, north) = self.metres(at);
        let half = (self.size.0 / 2.0, self.size.1 / 2.0);
        (tenths(half.0 + east * self.scale), tenths(half.1 - north * self.scale))
    }

    /// A point on the drawing, brought to the edge where it lies outside; and whether it does.
    fn inside(&self, (x, y): (f64, f64)) -> ((f64, f64), bool) {
        let (half_x, half_y) = (self.size.0 / 2.0, self.size.1 / 2.0);
        let (east, south) = (x - half_x, y - half_y);
        let most = |free: f64| ((half_x - free) / east.abs()).min((half_y - free) / south.abs());
        // A tenth of a point is rounding, not distance.
        if most(MARGIN) > 0.995 {
            return ((x, y), false);
        }
        let most = most(EDGE);
        ((tenths(half_x + east * most), tenths(half_y + south * most)), true)
    }

    fn ring(&self, metres: f64) -> Ring {
        Ring { radius: tenths(metres * self.scale), word: word(metres) }
    }

    fn draw(&self, lang: &'static str, label: String, spots: &[Spot]) -> Map {
        let mut marks: Vec<Mark> = Vec::new();
        let mut ways = Vec::new();
        for spot in spots {
            let ((x, y), far) = self.inside(self.point(spot.at));
            if let Some(to) = spot.to.filter(|_| !far) {
                let (to_x, to_y) = self.point(to);
                ways.push([x, y, to_x, to_y]);
            }
            let near =
                |m: &&mut Mark| (m.look, m.far) == (spot.look, far) && (m.x - x).hypot(m.y - y) < TOUCH;
            match marks.iter_mut().find(near) {
                Some(mark) => {
                    mark.names.push(spot.name.clone());
                    mark.chosen |= spot.chosen;
                }
                None => marks.push(Mark {
                    x,
                    y,
                    look: spot.look,
                    sign: spot.sign.clone(),
                    names: vec![spot.name.clone()],
                    href: spot.href.clone(),
                    chosen: spot.chosen,
                    far,
                }),
            }
        }
        // The first spots matter most, so they are drawn last, above the others.
        marks.reverse();
        let (width, height) = self.size;
        Map { lang, label, width, height, marks, ways, rings: Vec::new(), bar: None }
    }
}

fn tenths(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// `500 米`, `2 公里`
fn word(metres: f64) -> String {
    distance(metres as i64).replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Degrees = (114.35, 34.8);

    fn spot(east: f64, north: f64, name: &str) -> Spot {
        let lon = HOME.0 + east / DEGREE_METRES / HOME.1.to_radians().cos();
        Spot::new((lon, HOME.1 + north / DEGREE_METRES), "helper", "1", name)
    }

    fn around(others: &[Spot]) -> Map {
        let mut spots = vec![Spot::new(HOME, "home", "家", "王秀英")];
        spots.extend_from_slice(others);
        Map::around("zh-CN", String::new(), (300.0, 300.0), 10_000.0, &spots).unwrap()
    }

    #[test]
    fn north_is_up_and_east_is_right() {
        let map = around(&[spot(400.0, 0.0, "东"), spot(0.0, 900.0, "北")]);
        let at = |name: &str| {
            let mark = map.marks.iter().find(|m| m.names == [name]).unwrap();
            (mark.x.round(), mark.y.round())
        };
        assert_eq!(at("王秀英"), (150.0, 150.0));
        assert_eq!(at("北"), (150.0, MARGIN), "the farthest stands at the edge");
        assert_eq!(at("东"), (150.0 + (124.0_f64 * 400.0 / 900.0).round(), 150.0));
    }

    #[test]
    fn rings_are_distances_people_think_in() {
        let words = |map: Map| map.rings.into_iter().map(|r| r.word).collect::<Vec<_>>();
        assert_eq!(words(around(&[spot(950.0, 0.0, "近")])), ["1 公里", "500 米", "200 米"]);
        assert_eq!(words(around(&[spot(0.0, 7_000.0, "远")])), ["5 公里", "2 公里", "1 公里"]);
        let one = around(&[spot(0.0, 1_000.0, "北")]);
        assert_eq!(one.rings[0].radius.round(), 124.0, "who is a kilometre off stands on its ring");
    }

    #[test]
    fn what_would_cover_each_other_is_one_mark_that_tells_both() {
        let map = around(&[spot(900.0, 0.0, "李"), spot(905.0, 5.0, "张"), spot(-900.0, 0.0, "马")]);
        let both = map.marks.iter().find(|m| m.names.len() == 2).unwrap();
        assert_eq!((both.sign(), both.name()), ("2".to_owned(), "2：李；张".to_owned()));
        assert_eq!(map.marks.len(), 3);
    }

    #[test]
    fn what_is_too_far_off_stands_at_the_edge_and_does_not_shrink_the_rest() {
        let map = around(&[spot(900.0, 0.0, "近"), spot(0.0, 40_000.0, "远")]);
        let mark = |name: &str| map.marks.iter().find(|m| m.names == [name]).unwrap();
        assert!(mark("远").far && !mark("近").far);
        assert_eq!((mark("远").x, map.rings[0].word.as_str()), (150.0, "500 米"));
        assert_eq!(mark("远").y, EDGE);
    }

    #[test]
    fn nothing_beside_a_home_is_no_map() {
        let alone = [Spot::new(HOME, "home", "家", "王秀英")];
        assert!(Map::around("zh-CN", String::new(), (300.0, 300.0), 10_000.0, &alone).is_none());
        assert!(Map::over("zh-CN", String::new(), (300.0, 300.0), &[]).is_none());
    }

    #[test]
    fn a_map_of_a_place_holds_everything_and_tells_how_long_a_kilometre_is() {
        let mut goes = spot(0.0, 0.0, "田芳");
        goes.to = Some(spot(6_000.0, 0.0, "").at);
        let map = Map::over("zh-CN", String::new(), (800.0, 400.0), &[goes, spot(0.0, 2_000.0, "北")]);
        let map = map.unwrap();
        let inside = |x: f64, y: f64| (0.0..=800.0).contains(&x) && (0.0..=400.0).contains(&y);
        assert!(map.marks.iter().all(|m| inside(m.x, m.y)) && inside(map.ways[0][2], map.ways[0][3]));
        let bar = map.bar.unwrap();
        assert_eq!(
            (bar.word.as_str(), bar.radius.round()),
            ("1 公里", ((800.0 / 2.0 - MARGIN) / 3.0).round())
        );
    }
}
