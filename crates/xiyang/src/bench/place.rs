//! A generated city to measure in: made by the real program, kept when a folder is told, and served by it again.

use std::{path::PathBuf, time::Instant};

use city::City;

use super::{
    report::Report,
    scratch::{self, Scratch},
    server::Server,
};
use crate::{complaint::Complaint, demo};

/// Arguments of every bench that measures in a city.
#[derive(Debug, clap::Args)]
pub(super) struct CityArgs {
    /// 输出一个 JSON 对象。Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// 城市的老年人数。Elders of the city
    #[arg(long, value_name = "N", default_value_t = 930_790, value_parser = clap::value_parser!(u32).range(100..=i64::from(city::PEOPLE_MAX)))]
    pub(super) people: u32,
    /// 城市的数据目录；没有就生成并留下，不指定则测完删除。Folder of the city: made where there is none and kept
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A served city.
pub(super) struct Place {
    pub(super) server: Server,
    pub(super) city: City,
    pub(super) data: PathBuf,
    _scratch: Option<Scratch>,
}

impl CityArgs {
    /// Makes the city if it is not there, starts it again, and notes what both took.
    pub(super) fn open(&self, report: &mut Report) -> Result<Place, Complaint> {
        let scratch = if self.data.is_none() { Some(Scratch::below(scratch::USUAL.as_ref())?) } else { None };
        let data = match (&self.data, &scratch) {
            (Some(data), _) => data.clone(),
            (None, Some(scratch)) => scratch.0.join("city"),
            (None, None) => unreachable!("one of the two was made above"),
        };
        if demo::city_in(&data)?.is_none() {
            let began = Instant::now();
            let server = Server::demo(&data, self.people)?;
            report.figure("generated_s", began.elapsed().as_secs_f64());
            report.figure("generated_cpu_s", server.cpu_seconds());
            report.figure("generated_memory_mib", server.memory_mib());
            server.end();
        }
        let began = Instant::now();
        let server = Server::demo(&data, self.people)?;
        report.figure("restart_s", began.elapsed().as_secs_f64());
        report.figure("people", f64::from(self.people));
        let city = demo::city_in(&data)?;
        let city = city.ok_or_else(|| Complaint::new("城市没有生成完整", "the city was not completed"))?;
        Ok(Place { server, city, data, _scratch: scratch })
    }
}
