//! Every route, every role, every place: nobody gets further than the permission list says.
//!
//! Generated from the list, so that a new route is tested before anybody thinks of it; a route whose parameters have
//! no example in `support/world.rs` fails here. On SQLite only: permissions do not depend on the database, and five
//! thousand requests are to take seconds.

mod support;
#[path = "support/world.rs"]
mod world;

use std::collections::HashMap;

use axum::http::StatusCode;
use domain::access::Role;
use support::{Seen, Visitor};
use web::{Gate, Route};
use world::{Bound, Seat, World};

/// A route with real ids in its path.
struct Target {
    method: &'static str,
    path: &'static str,
    gate: Gate,
    url: String,
    /// To whom the nearest of its records belongs.
    bound: Option<Bound>,
}

impl Target {
    fn of(world: &World, route: &Route) -> Result<Target, String> {
        let mut url = String::new();
        let mut bound = None;
        for piece in route.path.split('/').skip(1) {
            url.push('/');
            match piece.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                None => url.push_str(piece),
                Some(name) => {
                    let (value, whose) = world.example(route.path, name).ok_or_else(|| {
                        format!(
                            "{} {}: no example for {{{name}}} in support/world.rs",
                            route.method, route.path
                        )
                    })?;
                    url.push_str(&value);
                    if whose != Bound::Nobody {
                        bound = Some(whose);
                    }
                }
            }
        }
        Ok(Target { method: route.method, path: route.path, gate: route.gate, url, bound })
    }

    fn api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    async fn ask(&self, world: &World, who: &Visitor) -> Seen {
        if self.api() {
            let body = world.body(self.method, self.path);
            world.service.call(who, self.method, &self.url, &body).await
        } else {
            let form = world.form(self.path);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.service.browse(who, self.method, &self.url, &form).await
        }
    }

    /// Whether the post of a role passes the gate.
    fn passes(&self, role: Role) -> bool {
        match self.gate {
            Gate::Open | Gate::SignedIn => true,
            Gate::May(act) => role.acts().contains(&act),
        }
    }
}

fn targets(world: &World) -> Vec<Target> {
    let (good, bad): (Vec<_>, Vec<_>) =
        web::table().iter().map(|route| Target::of(world, route)).partition(Result::is_ok);
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    good.into_iter().filter_map(Result::ok).collect()
}

fn first_line(seen: &Seen) -> String {
    seen.body.chars().take(160).collect::<String>().replace('\n', " ")
}

#[tokio::test]
async fn nobody_gets_further_than_the_permission_list_says() {
    let world = World::new();
    let targets = targets(&world);
    let mut wrong: Vec<String> = Vec::new();
    let nobody = Visitor::default();
    let mut visitors: HashMap<(Role, usize), Visitor> = HashMap::new();
    for role in Role::ALL {
        for (n, seat) in Seat::ALL.into_iter().enumerate() {
            visitors.insert((*role, n), world.visitor(*role, seat));
        }
    }

    // What must not be reached comes first, while every record is as it was made.
    for target in &targets {
        let seen = target.ask(&world, &nobody).await;
        let fits = match target.gate {
            _ if seen.status.is_server_error() => false,
            Gate::Open => seen.status != StatusCode::UNAUTHORIZED,
            _ if target.api() => seen.status == StatusCode::UNAUTHORIZED,
            _ => seen.location.as_deref().is_some_and(|to| to.starts_with("/sign-in")),
        };
        if !fits {
            wrong.push(format!("nobody: {} {} → {}", target.method, target.path, seen.status));
        }
        for role in Role::ALL {
            for (n, seat) in Seat::ALL.into_iter().enumerate() {
                let hidden = !seat.sees(target.bound);
                let expected = match (target.passes(*role), hidden) {
                    (false, _) => StatusCode::FORBIDDEN,
                    (true, true) => StatusCode::NOT_FOUND,
                    (true, false) => continue,
                };
                let seen = target.ask(&world, &visitors[&(*role, n)]).await;
                // Someone else's session does not exist for a program, which has none of its own.
                let begin = target.bound == Some(Bound::Person) && seen.status == StatusCode::CONFLICT;
                // A command may ask for a second act before it looks for the record, which tells nothing about it.
                let forbidden = hidden && seen.status == StatusCode::FORBIDDEN;
                if seen.status != expected && !forbidden && !(begin && *role == Role::System) {
                    let (method, path, said) = (target.method, target.path, first_line(&seen));
                    wrong.push(format!(
                        "{role:?} {seat:?}: {method} {path} → {} instead of {expected}: {said}",
                        seen.status
                    ));
                }
            }
        }
    }

    // Then what may be reached, leaving last.
    let leaves = |target: &&Target| target.path == "/sign-out";
    for target in targets.iter().filter(|t| !leaves(t)).chain(targets.iter().filter(leaves)) {
        for role in Role::ALL {
            for (n, seat) in Seat::ALL.into_iter().enumerate() {
                if !target.passes(*role) || !seat.sees(target.bound) {
                    continue;
                }
                let seen = target.ask(&world, &visitors[&(*role, n)]).await;
                let broken = seen.status.is_server_error();
                // A body that is not even read would make the "not found" above worth nothing.
                let unread = target.bound.is_some()
                    && matches!(
                        seen.status,
                        StatusCode::BAD_REQUEST
                            | StatusCode::UNSUPPORTED_MEDIA_TYPE
                            | StatusCode::UNAUTHORIZED
                            | StatusCode::METHOD_NOT_ALLOWED
                    );
                if broken || unread {
                    let (method, path, said) = (target.method, target.path, first_line(&seen));
                    wrong.push(format!("{role:?} {seat:?}: {method} {path} → {}: {said}", seen.status));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The examples must be real: what is hidden from strangers has to be there for those who may see it.
#[tokio::test]
async fn the_examples_of_the_matrix_exist() {
    let world = World::new();
    let mut missing = Vec::new();
    let mut visitors: HashMap<(Role, bool), Visitor> = HashMap::new();
    for target in targets(&world).iter().filter(|t| t.method == "GET" && t.bound == Some(Bound::Place)) {
        let role = Role::ALL.iter().find(|role| target.passes(**role) && **role != Role::System);
        let role = *role.unwrap_or(&Role::System);
        for seat in [Seat::Own, Seat::Child] {
            let who = visitors.entry((role, seat == Seat::Own)).or_insert_with(|| world.visitor(role, seat));
            let seen = target.ask(&world, who).await;
            if seen.status != StatusCode::OK {
                missing.push(format!("{role:?} {seat:?}: {} → {}", target.path, seen.status));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A handler that is mounted elsewhere would have no gate.
#[test]
fn routes_stand_in_the_permission_list_only() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("src/routes.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for mount in [".route(", ".nest(", ".nest_service(", ".route_service(", ".merge("] {
                    if text.contains(mount) {
                        found.push(format!("{}: {mount}", path.display()));
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "only routes.rs may mount: {found:?}");
}
