mod entry;
mod kit;
mod tamper;
