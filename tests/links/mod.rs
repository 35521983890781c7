//! Where citations lead and what they say, through the real binary: statements whose right answers are annotated, every
//! carrier of a redirect, every row of the transactions, dead links, requests counted.

mod archives;
mod carriers;
mod platforms;
mod statements;
mod transactions;
mod world;
