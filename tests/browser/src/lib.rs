//! The harness of the browser tests: a browser, windows in it that wait for what they want to see, and a world
//! of services behind them.

pub mod axe;
pub mod chromium;
pub mod window;
pub mod world;
