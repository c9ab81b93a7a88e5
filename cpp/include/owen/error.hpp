// What the core throws: a full sentence with the offending value (std::invalid_argument).
#pragma once

#include <sstream>
#include <stdexcept>

namespace owen {

// require(ok, "expected ", n, " values, got ", m) throws the joined message unless ok.
template <typename... Parts>
void require(bool ok, const Parts&... parts) {
  if (ok) return;
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

}  // namespace owen
