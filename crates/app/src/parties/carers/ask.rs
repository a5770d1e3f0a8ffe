//! What somebody typed about a carer or a certificate, and the value it becomes.

use domain::{
    ids::ProviderId,
    parties::{Certificate, PersonName, Phone, Sex, age::full_years},
    regions::RegionCode,
    time::Day,
};
use serde::Deserialize;

use crate::parties::wrong::{Wrong, Wrongs, day, line, take};

/// The last day of a certificate that does not run out.
pub const NEVER: Day = Day::constant(9999, 12, 31);

/// A carer as typed in a form or sent by a program.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct CarerAsk {
    /// Full name.
    #[serde(default)]
    pub name: String,
    /// 男 or 女.
    #[serde(default)]
    pub sex: String,
    /// Day of birth.
    #[serde(default)]
    pub birth: String,
    /// Mobile number; one with stars in it keeps the old one.
    #[serde(default)]
    pub phone: String,
    /// Region of the home, 12 digits.
    #[serde(default)]
    pub region: String,
    /// Longitude of the home, if known.
    #[serde(default)]
    pub lon: Option<f64>,
    /// Latitude of the home, if known.
    #[serde(default)]
    pub lat: Option<f64>,
    /// Languages spoken, separated by 、
    #[serde(default)]
    pub languages: String,
    /// Days of the week worked, 1 Monday to 7 Sunday.
    #[serde(default)]
    pub days: Vec<u8>,
    /// When the day begins, `08:00`.
    #[serde(default)]
    pub from: String,
    /// When it ends, `18:00`.
    #[serde(default)]
    pub to: String,
    /// Orders are accepted at once when offered.
    #[serde(default)]
    pub takes_at_once: bool,
}

/// A carer, every field right by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCarer {
    /// Who employs them.
    pub provider: ProviderId,
    /// Region of the home.
    pub region: RegionCode,
    /// Full name.
    pub name: PersonName,
    /// Sex.
    pub sex: Sex,
    /// Day of birth.
    pub birth: Day,
    /// Phone; none keeps the old one.
    pub phone: Option<Phone>,
    /// Longitude and latitude of the home.
    pub home: Option<(f64, f64)>,
    /// Languages spoken.
    pub languages: Vec<String>,
    /// Bit 0 Monday to bit 6 Sunday.
    pub work_days: i64,
    /// Minutes after midnight when the day begins.
    pub work_from: i64,
    /// Minutes after midnight when it ends.
    pub work_to: i64,
    /// Orders are accepted at once when offered.
    pub takes_at_once: bool,
}

/// A certificate as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CertificateAsk {
    /// Word of the city packs: `care_5`.
    #[serde(default)]
    pub skill: String,
    /// Number on the paper.
    #[serde(default)]
    pub certificate_no: String,
    /// Day of issue.
    #[serde(default)]
    pub valid_from: String,
    /// Last day; empty for one that does not run out.
    #[serde(default)]
    pub valid_to: String,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// What it proves.
    pub skill: Certificate,
    /// Number on the paper.
    pub certificate_no: String,
    /// Day of issue.
    pub valid_from: Day,
    /// Last day; `NEVER` for one that does not run out.
    pub valid_to: Day,
}

impl CarerAsk {
    /// The value, or everything that is wrong. Whoever has a phone on record may leave it masked.
    ///
    /// # Errors
    /// One entry for each field that cannot be taken.
    pub fn parse(&self, provider: ProviderId, has_phone: bool, today: Day) -> Result<NewCarer, Wrongs> {
        let mut wrongs = Vec::new();
        let w = &mut wrongs;
        let name = take(w, "name", PersonName::parse(&self.name));
        let sex = Sex::from_text(&self.sex).filter(|sex| matches!(sex, Sex::Male | Sex::Female));
        if sex.is_none() {
            w.push(Wrong::new("sex", "性别应为男或女（同性别服务按它派单）"));
        }
        let birth = day(w, "birth", "出生日期", &self.birth);
        // The law lets nobody below 16 work; a clerk's slip of a century is caught by the other end.
        if birth.is_some_and(|b| !full_years(b, today).is_some_and(|age| (16..=80).contains(&age))) {
            w.push(Wrong::new("birth", "服务人员应在 16 到 80 周岁之间，请核对出生日期"));
        }
        let phone = if has_phone && self.phone.contains('*') {
            None
        } else {
            take(w, "phone", Phone::parse(&self.phone))
        };
        let region = take(w, "region", RegionCode::parse(&self.region));
        let (work_days, work_from, work_to) = self.hours(w);
        let languages: Vec<String> = self
            .languages
            .split(['、', '，', ',', ' '])
            .map(|l| l.trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect();
        match (name, sex, birth, region) {
            (Some(name), Some(sex), Some(birth), Some(region)) if wrongs.is_empty() => Ok(NewCarer {
                provider,
                region,
                name,
                sex,
                birth,
                phone,
                home: self.lon.zip(self.lat),
                languages,
                work_days,
                work_from,
                work_to,
                takes_at_once: self.takes_at_once,
            }),
            _ => Err(Wrongs(wrongs)),
        }
    }

    fn hours(&self, w: &mut Vec<Wrong>) -> (i64, i64, i64) {
        let mut bits = 0;
        for one in &self.days {
            match one {
                1..=7 => bits |= 1 << (one - 1),
                _ => w.push(Wrong::new("days", "工作日应为 1（周一）到 7（周日）")),
            }
        }
        if bits == 0 {
            w.push(Wrong::new("days", "没有选择工作日，请至少选一天"));
        }
        let (from, to) = (clock(&self.from), clock(&self.to));
        match (from, to) {
            (Some(from), Some(to)) if from < to => return (bits, from, to),
            (Some(_), Some(_)) => w.push(Wrong::new("to", "下班时间应晚于上班时间")),
            (None, _) => w.push(Wrong::new("from", "上班时间应写成 08:00 这样")),
            (_, None) => w.push(Wrong::new("to", "下班时间应写成 18:00 这样")),
        }
        (bits, 480, 1080)
    }
}

/// `08:30` as minutes after midnight; `24:00` ends a day.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes) || (hours, minutes) == (24, 0))
        .then_some(hours * 60 + minutes)
}

impl CertificateAsk {
    /// The value, or everything that is wrong.
    ///
    /// # Errors
    /// One entry for each field that cannot be taken.
    pub fn parse(&self, today: Day) -> Result<NewCertificate, Wrongs> {
        let mut wrongs = Vec::new();
        let w = &mut wrongs;
        let skill = Certificate::from_code(self.skill.trim());
        if skill.is_none() {
            w.push(Wrong::new("skill", "没有选择证书种类，请从列表中选择"));
        }
        let certificate_no = line(w, "certificate_no", "证书编号", &self.certificate_no);
        let from = day(w, "valid_from", "发证日期", &self.valid_from);
        let to = if self.valid_to.trim().is_empty() {
            Some(NEVER)
        } else {
            day(w, "valid_to", "有效期至", &self.valid_to)
        };
        if from.is_some_and(|from| from > today) {
            w.push(Wrong::new("valid_from", "发证日期在今天以后，请核对"));
        }
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            w.push(Wrong::new("valid_to", format!("有效期至 {to} 早于发证日期 {from}，请核对")));
        }
        match (skill, from, to) {
            (Some(skill), Some(valid_from), Some(valid_to)) if wrongs.is_empty() => {
                Ok(NewCertificate { skill, certificate_no, valid_from, valid_to })
            }
            _ => Err(Wrongs(wrongs)),
        }
    }
}
