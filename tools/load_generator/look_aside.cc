#include "tools/load_generator/look_aside.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/clock.h"
#include "tools/load_generator/cache_traffic.h"
#include "tools/load_generator/connection.h"
#include "tools/load_generator/load_run.h"
#include "tools/load_generator/reply_wait.h"

namespace aeris::load {
namespace {

// The bytes of requests whose keys and sizes are known only when they are due.
class RequestWriter {
 public:
  explicit RequestWriter(const Options& options)
      : memcached_(options.protocol == Protocol::kMemcached),
        get_(memcached_ ? "get " : fmt::format("*2\r\n$3\r\nGET\r\n${}\r\n", options.key_bytes)),
        set_(memcached_ ? "set " : fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n", options.key_bytes)),
        key_(options.prefix + std::string(options.key_bytes - options.prefix.size(), '0')),
        first_key_(options.first) {}

  void AppendGet(std::uint64_t key) {
    bytes_ += get_;
    AppendKey(key);
    bytes_ += "\r\n";
  }

  void AppendSet(std::uint64_t key, std::size_t value_bytes) {
    bytes_ += set_;
    AppendKey(key);
    const auto out = std::back_inserter(bytes_);
    memcached_ ? fmt::format_to(out, " 0 0 {}\r\n", value_bytes)
               : fmt::format_to(out, "\r\n${}\r\n", value_bytes);
    bytes_.append(value_bytes, 'v');
    bytes_ += "\r\n";
  }

  std::string_view bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  void AppendKey(std::uint64_t key) {
    bytes_ += key_;
    char* digit = bytes_.data() + bytes_.size();
    for (std::uint64_t left = first_key_ + key; left != 0; left /= 10) {
      *--digit = static_cast<char>('0' + left % 10);
    }
  }

  bool memcached_;
  std::string get_;
  std::string set_;
  std::string key_;  // of number 0
  std::uint64_t first_key_;
  std::string bytes_;
};

// One connection with the batch that waits for replies: SETs, then GETs.
struct Client : Connection {
  Client(const Options& options, int epoll_fd) : Connection(options, epoll_fd) {
    NoteValues(held_value);
  }

  std::size_t sets = 0;
  std::vector<CacheRequest> gets;
  std::vector<bool> held_value;        // for each reply to them
  std::vector<std::uint64_t> missing;  // keys, to be set with the next batch
};

class LookAside {
 public:
  explicit LookAside(const Options& options)
      : options_(options),
        traffic_(options),
        writer_(options),
        wait_(options),
        begin_(clock_.Monotonic()) {
    for (std::size_t i = 0; i < options.connections; ++i) {
      clients_.push_back(std::make_unique<Client>(options, wait_.epoll_fd()));
    }
  }

  LookAsideResult Run() {
    LookAsideResult result;
    Fill();
    result.fill_seconds = SecondsSince(begin_);
    result.warm_up = Ask(options_.warm_up);
    const MonotonicTime begin = clock_.Monotonic();
    const double own_before = CpuSeconds(0);
    const double server_before = ServerCpuSeconds();
    std::uint64_t left = options_.requests;
    for (std::size_t i = 0; i < result.parts.size(); ++i) {
      const std::uint64_t requests = left / (result.parts.size() - i);
      result.parts[i] = Ask(requests);
      left -= requests;
    }
    result.seconds = SecondsSince(begin);
    result.own_cpu_seconds = CpuSeconds(0) - own_before;
    result.server_cpu_seconds = ServerCpuSeconds() - server_before;
    CheckReplies();
    return result;
  }

 private:
  double SecondsSince(MonotonicTime begin) const {
    return std::chrono::duration<double>(clock_.Monotonic() - begin).count();
  }
  double ServerCpuSeconds() const {
    return options_.server_pid == 0 ? 0 : CpuSeconds(options_.server_pid);
  }

  void Fill() {
    const std::vector<std::uint32_t> order = traffic_.FillOrder();
    auto next = order.begin();
    Serve([&](Client& client) {
      const auto left = static_cast<std::size_t>(order.end() - next);
      for (std::size_t i = std::min(left, options_.pipeline); i != 0; --i) Set(client, *next++);
    });
  }

  // Returns when as many GETs, and the SETs of what they missed, have been answered.
  CacheCounts Ask(std::uint64_t requests) {
    counts_ = {};
    gets_sent_ = 0;
    gets_begin_ = clock_.Monotonic();
    Serve([&](Client& client) {
      for (const std::uint64_t key : client.missing) Set(client, key);
      client.missing.clear();
      const std::uint64_t left = requests - gets_sent_;
      for (std::uint64_t i = std::min<std::uint64_t>(left, options_.pipeline); i != 0; --i) {
        Get(client);
      }
    });
    return counts_;
  }

  void Set(Client& client, std::uint64_t key) {
    writer_.AppendSet(key, traffic_.ValueBytes(key));
    ++client.sets;
    ++sets_;
  }

  void Get(Client& client) {
    client.gets.push_back(traffic_.Next());
    writer_.AppendGet(client.gets.back().key);
    ++gets_sent_;
  }

  // A client sends what write_batch(client) has written as soon as all replies to its last batch
  // are there and the rate allows it; one for which nothing was written has come to its end.
  template <typename WriteBatch>
  void Serve(WriteBatch write_batch) {
    for (const auto& client : clients_) ready_.push_back(client.get());
    while (!ready_.empty() || waiting_ != 0) {
      for (; !ready_.empty() && IsDue(); ready_.pop_front()) {
        Client& client = *ready_.front();
        writer_.Clear();
        client.sets = 0;
        write_batch(client);
        const std::size_t requests = client.sets + client.gets.size();
        if (requests == 0) continue;
        ++waiting_;
        client.Send({.bytes = writer_.bytes(), .requests = requests, .replies = requests},
                    clock_.Monotonic());
      }
      if (!ready_.empty() || waiting_ != 0) Turn();
    }
  }

  bool IsDue() const {
    return options_.rate <= 0 ||
           static_cast<double>(gets_sent_) <= options_.rate * SecondsSince(gets_begin_);
  }

  void Turn() {
    wait_.Turn(ready_.empty() ? 100 : 0, [&](Connection& connection, MonotonicTime) {
      auto& client = static_cast<Client&>(connection);
      --waiting_;
      CountReplies(client);
      ready_.push_back(&client);
    });
  }

  void CountReplies(Client& client) {
    for (std::size_t i = 0; i < client.gets.size(); ++i) {
      const CacheRequest& request = client.gets[i];
      const bool hit = client.held_value[client.sets + i];
      ++(request.one_time ? counts_.one_time_requests : counts_.requests);
      if (hit) {
        ++hits_;
        hit_bytes_ += traffic_.ValueBytes(request.key);
      } else {
        ++(request.one_time ? counts_.one_time_misses : counts_.misses);
        client.missing.push_back(request.key);
      }
    }
    client.gets.clear();
    client.held_value.clear();
  }

  // memcached says nothing of a key that it does not have.
  void CheckReplies() const {
    ReplyCounts got;
    for (const auto& client : clients_) {
      got.statuses += client->counts().statuses;
      got.values += client->counts().values;
      got.value_bytes += client->counts().value_bytes;
    }
    if (got.statuses != sets_ || got.values != hits_) Fail("replies of a wrong kind");
    if (got.value_bytes != hit_bytes_) Fail("values of a wrong size");
  }

  const Options& options_;
  const SystemClock clock_;
  CacheTraffic traffic_;
  RequestWriter writer_;
  ReplyWait wait_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Client*> ready_;  // to send their next batch
  std::size_t waiting_ = 0;    // clients whose batch is under way
  MonotonicTime begin_;
  MonotonicTime gets_begin_;
  std::uint64_t gets_sent_ = 0;  // since then
  CacheCounts counts_;           // likewise
  std::uint64_t sets_ = 0;       // in all, as what follows
  std::uint64_t hits_ = 0;
  std::uint64_t hit_bytes_ = 0;
};

}  // namespace

LookAsideResult RunLookAside(const Options& options) { return LookAside(options).Run(); }

}  // namespace aeris::load
