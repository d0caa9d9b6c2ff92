// What it is: the list of queues, or a page of it, put together in parts: which queues they are is known by their names, or by
// the number that they are sorted by; only those of the page are looked at, some hundred at a time. However many queues there
// are, no shard is held up.
// Shard: the call's; sorting and writing are done on another thread where they take long.
#pragma once

#include "admin/call.h"

namespace weir::admin {

// Of the virtual host in the path, or of all that the user sees.
void list_queues(Call& call);

}  // namespace weir::admin
