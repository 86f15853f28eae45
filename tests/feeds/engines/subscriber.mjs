// One look of a subscriber that behaves as Thunderbird's calendars do (CalICSCalendar): it keeps what it last got, asks
// with the ETag of that, leaves everything as it is on 304 and 404, and on 410 disables the calendar, shows nothing of it
// and never asks again. What it knows lies in a file between two looks.
//
//   node subscriber.mjs ADDRESS FILE SINCE UNTIL  →  {"status": 200, "disabled": false, "hours": [[begins, ends, summary]]}
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { occurrences, parsed, written } from "./calendar.mjs";

const [address, file, since, until] = process.argv.slice(2);
const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { disabled: false };
const status = known.disabled ? null : await look();
writeFileSync(file, JSON.stringify(known));
writeFileSync(1, JSON.stringify({ status, disabled: known.disabled, hours: known.disabled ? [] : hours() }));

async function look() {
  const headers = { accept: "text/calendar,text/plain;q=0.8,*/*;q=0.5", "user-agent": "Thunderbird/140.0" };
  if (known.etag) headers["if-none-match"] = known.etag;
  const answer = await fetch(address, { headers, redirect: "manual" });
  if (answer.status === 200) {
    known.text = await answer.text();
    known.etag = answer.headers.get("etag");
  } else if (answer.status !== 304 && answer.status !== 404) {
    known.disabled = true;
  }
  return answer.status;
}

function hours() {
  const [from, to] = [since, until].map((moment) => Date.parse(moment) / 1000);
  const found = occurrences(parsed(known.text), from, to);
  return found.map(({ starts, ends, item }) => [written(starts), written(ends), item.summary ?? ""]).sort();
}
