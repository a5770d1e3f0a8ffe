//! What somebody typed about a provider, and the value it becomes.

use domain::{
    parties::{CreditCode, Phone},
    regions::RegionCode,
    time::Day,
};
use serde::Deserialize;

use crate::parties::wrong::{Wrong, Wrongs, day, line, take};

/// A provider as typed in a form or sent by a program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ProviderAsk {
    /// Registered name.
    #[serde(default)]
    pub name: String,
    /// Unified social credit code.
    #[serde(default)]
    pub credit_code: String,
    /// Who answers for it.
    #[serde(default)]
    pub contact: String,
    /// That person's phone.
    #[serde(default)]
    pub phone: String,
    /// Address of the office.
    #[serde(default)]
    pub address: String,
    /// Where the office stands: `114.35,34.80`, degrees east and north; may be empty.
    #[serde(default)]
    pub place: String,
    /// Region of the office, 12 digits.
    #[serde(default)]
    pub region: String,
    /// Region it serves, with all below, 12 digits.
    #[serde(default)]
    pub area: String,
    /// Number of the contract.
    #[serde(default)]
    pub contract_no: String,
    /// First day of the contract.
    #[serde(default)]
    pub contract_from: String,
    /// Last day of the contract.
    #[serde(default)]
    pub contract_to: String,
    /// Codes of the services it may do.
    #[serde(default)]
    pub services: Vec<String>,
}

/// A provider under contract, every field right by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProvider {
    /// Registered name.
    pub name: String,
    /// Unified social credit code.
    pub credit_code: CreditCode,
    /// Who answers for it.
    pub contact: String,
    /// That person's phone; public, as the office's.
    pub phone: Phone,
    /// Address of the office.
    pub address: String,
    /// Where the office stands: degrees east and north.
    pub place: Option<(f64, f64)>,
    /// Region of the office.
    pub region: RegionCode,
    /// Region it serves, with all below.
    pub area: RegionCode,
    /// Number of the contract.
    pub contract_no: String,
    /// First day of the contract.
    pub contract_from: Day,
    /// Last day of the contract.
    pub contract_to: Day,
    /// Codes of the services it may do, without repeats.
    pub services: Vec<String>,
}

impl ProviderAsk {
    /// The value, or everything that is wrong.
    ///
    /// # Errors
    /// One entry for each field that cannot be taken.
    pub fn parse(&self) -> Result<NewProvider, Wrongs> {
        let mut wrongs = Vec::new();
        let w = &mut wrongs;
        let name = line(w, "name", "服务商名称", &self.name);
        let credit_code = take(w, "credit_code", CreditCode::parse(&self.credit_code));
        let contact = line(w, "contact", "负责人", &self.contact);
        let phone = take(w, "phone", Phone::parse(&self.phone));
        let region = take(w, "region", RegionCode::parse(&self.region));
        let area = take(w, "area", RegionCode::parse(&self.area));
        let place = take(w, "place", point(&self.place)).flatten();
        let contract_no = line(w, "contract_no", "合同编号", &self.contract_no);
        let from = day(w, "contract_from", "合同起始日", &self.contract_from);
        let to = day(w, "contract_to", "合同到期日", &self.contract_to);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            w.push(Wrong::new("contract_to", format!("合同到期日 {to} 早于起始日 {from}，请核对")));
        }
        let mut services: Vec<String> = self.services.iter().map(|s| s.trim().to_owned()).collect();
        services.retain(|s| !s.is_empty());
        services.sort();
        services.dedup();
        if services.is_empty() {
            w.push(Wrong::new("services", "没有选择服务项目，请至少选一项"));
        }
        match (credit_code, phone, region, area, from, to) {
            (
                Some(credit_code),
                Some(phone),
                Some(region),
                Some(area),
                Some(contract_from),
                Some(contract_to),
            ) if wrongs.is_empty() => Ok(NewProvider {
                name,
                credit_code,
                contact,
                phone,
                address: self.address.trim().to_owned(),
                place,
                region,
                area,
                contract_no,
                contract_from,
                contract_to,
                services,
            }),
            _ => Err(Wrongs(wrongs)),
        }
    }
}

/// A point as people copy it from a map: degrees east, then north; nothing is none.
fn point(text: &str) -> Result<Option<(f64, f64)>, &'static str> {
    const WRONG: &str = "经纬度应写成 114.35,34.80 这样：先经度后纬度，用逗号分开";
    if text.trim().is_empty() {
        return Ok(None);
    }
    let (lon, lat) = text.split_once([',', '，']).ok_or(WRONG)?;
    let degrees = |text: &str| text.trim().parse::<f64>().map_err(|_| WRONG);
    let (lon, lat) = (degrees(lon)?, degrees(lat)?);
    // China: whoever writes north before east is told so.
    if (73.0..=136.0).contains(&lon) && (3.0..=54.0).contains(&lat) {
        Ok(Some((lon, lat)))
    } else {
        Err(WRONG)
    }
}

#[cfg(test)]
mod tests {
    use super::point;

    #[test]
    fn a_point_is_east_then_north_or_nothing() {
        assert_eq!(point(" "), Ok(None));
        assert_eq!(point("114.35, 34.80"), Ok(Some((114.35, 34.80))));
        assert_eq!(point("114.35，34.80"), Ok(Some((114.35, 34.80))));
        for wrong in ["34.80,114.35", "114.35", "a,b", "200,10"] {
            assert!(point(wrong).is_err(), "{wrong}");
        }
    }
}
