//! `xiyang demo`: a simulated city, made at the first start and alive while the program runs.

mod place;
mod progress;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use app::pack::{self, Pack};
use city::{City, CitySpec, living, seed};
use web::{Demo, Gateway, Persona};

use crate::{complaint::Complaint, open, outside, serve, signals};
use place::{DemoFolder, Note};
use progress::Progress;

/// Arguments of `xiyang demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// 城市包：kaifeng、huangshi、weifang、liaoning。City pack
    #[arg(long, default_value = "kaifeng")]
    pack: String,
    /// 老年人数。Number of elders
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=i64::from(city::PEOPLE_MAX)))]
    people: u32,
    /// 种子，同样的种子得到同样的人。Seed: the same one makes the same people
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// 数据目录，默认在用户数据目录下按城市取名。Data folder; each city has one of its own by default
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// 监听地址。Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    doors: signals::DoorArgs,
    /// 不显示进度。No progress on stderr
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: DemoArgs) -> Result<ExitCode, Complaint> {
    outside::log("warn");
    let pack = pack_named(&args.pack)?;
    let runtime = serve::runtime()?;
    let bound = serve::bind(&runtime, args.listen)?;
    let listeners = signals::bind(&runtime, &args.doors.for_demo())?;
    let doors = signals::doors(&listeners);
    let wanted = Note::new(&args.pack, args.people, args.seed, outside::now().day());
    let DemoFolder { path, note, complete, hold } = place::prepare(args.data, wanted)?;
    let mut progress = Progress::new(args.quiet);
    progress.say(&format!("演示城市 {}，老年人 {}，数据在 {}", note.pack, note.people, path.display()));

    let city = Arc::new(city_of(&note, &pack));
    let opened = open::to_serve_folder(&path, hold, None)?;
    let mut tell = |step, done, all| progress.at(step, done, all);
    if complete {
        // A city that was made last month has no rights of this one yet.
        seed::grant_rights(&opened.store, outside::now().month(), outside::now(), &mut tell)?;
        seed::wake(&opened.store, &city, outside::now())?;
    } else {
        seed::write(&opened.store, &city, &pack, outside::now(), &mut tell)?;
        DemoFolder::completed(&path, &note)?;
    }
    let demo = Demo { personas: city.personas().into_iter().map(shown).collect() };
    let clock = living::Clock { now: Arc::new(outside::now), speed: 1 };
    let driver = living::prepare(&opened.store, city, clock, outside::token)?;
    let platform = living::Platform { web: bound.address, doors };
    let switchboard = runtime
        .block_on(living::Switchboard::open(&opened.store, outside::token()))
        .map_err(|e| Complaint::new(format!("演示话务网关不能启动：{e}"), format!("no demo gateway: {e}")))?;
    let gateway = Gateway::new(&switchboard.url(), switchboard.secret(), None, outside::now)
        .map_err(|e| Complaint::new(format!("演示话务网关不能使用：{e}"), format!("no demo gateway: {e}")))?;
    serve::serve(runtime, opened, (bound, listeners), (Some(gateway), Some(demo)), move |runtime| {
        drop(runtime.spawn(switchboard.run(platform.web)));
        drop(runtime.spawn(driver.run(platform)))
    })
}

/// The complete city in a folder, when there is one; who lives in it follows from its note.
pub(crate) fn city_in(folder: &Path) -> Result<Option<City>, Complaint> {
    let Some(note) = place::complete_in(folder)? else { return Ok(None) };
    let pack = pack_named(&note.pack)?;
    Ok(Some(city_of(&note, &pack)))
}

fn city_of(note: &Note, pack: &Pack) -> City {
    let regions = pack.regions.iter().map(|r| r.number()).collect();
    let spec = CitySpec { seed: note.seed, people: note.people, today: note.day, regions };
    City::build(spec, city::REGIONS).expect("the packs in the program are tested")
}

/// A pack of the program by its name.
fn pack_named(name: &str) -> Result<Pack, Complaint> {
    let names = pack::embedded();
    if !names.iter().any(|known| known == name) {
        let names = names.join(" ");
        return Err(Complaint::new(
            format!("没有城市包 {name}。可以选：{names}"),
            format!("there is no city pack {name}; choose one of: {names}"),
        ));
    }
    Ok(Pack::load(name).expect("the packs in the program are tested"))
}

fn shown(persona: seed::Persona) -> Persona {
    Persona {
        username: persona.username.to_owned(),
        name: persona.name,
        role: persona.role.label().to_owned(),
        hint: persona.hint.to_owned(),
    }
}
