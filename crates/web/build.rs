//! Checks that the stylesheet and scripts have been built before they are embedded.
//! It never runs npm: a cargo build must work the same with and without a network.

use std::path::Path;

/// What every page asks for; without them the screens would be bare.
const NEEDED: [&str; 4] = ["xiyang.css", "app.js", "phone.js", "icons.svg"];

fn main() {
    println!("cargo::rerun-if-changed=dist");
    println!("cargo::rerun-if-changed=templates");
    for file in NEEDED {
        if !Path::new("dist").join(file).exists() {
            println!(
                "cargo::error=crates/web/dist/{file} is missing: run `make assets` first (needs node and npm). \
                 缺少页面资源，请先运行 make assets"
            );
        }
    }
}
