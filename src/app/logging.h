// What it is: where the lines of base/log.h go in a server: standard error or a file, as text or JSON.
// Shard: any thread logs; start and reopen are for the main thread.
#pragma once

#include "app/settings.h"
#include "base/error.h"

namespace weir::app {

// io_error: the file can't be opened.
Status start_logging(const Settings& settings);

// Says in the log how many lines of clients' doing were left out since the last time, if any. Any thread.
void tell_dropped_lines();

// Opens the file anew under its name (after it was rotated away). On an error the old one stays.
Status reopen_log();

}  // namespace weir::app
