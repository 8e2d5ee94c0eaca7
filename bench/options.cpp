#include "bench/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <type_traits>

#include <cxxopts.hpp>

#include "bench/corpus.hpp"
#include "bench/process.hpp"

namespace parley::bench {

namespace {

constexpr std::array scenarios{"im", "lone", "idle", "offline", "broadcast",
  "presence", "signin", "signin-cost", "relay", "users"};

constexpr std::string_view about = R"(
SCENARIO is one of
  im         pairs of users send to each other
  lone       one pair, one IM at a time
  idle       many sessions that do nothing
  offline    IMs to absent users, who then sign in
  broadcast  one user sends to many at once
  presence   users change their presence, others are told
  signin     many users sign in at once who are each other's contacts
  signin-cost  users with many contacts sign in and out, next to some without
  users      print users for `parley admin user import`
  relay      be the relay that Parley is measured against

parley-bench im --start-server starts a server on a temporary folder, measures
it against the relay and stops both. Every IM is checked; the exit code is 1 if
one is lost, doubled, out of order or altered, 2 if the run could not be made.
)";

/// What a bad value is answered with.
struct bad_option {
  std::string text;
};

template <class T>
T number(
  const cxxopts::ParseResult& in, const std::string& name, T low, T high) {
  T const value = in[name].as<T>();
  if (value < low || value > high) {
    auto text = "--" + name + " must be between " + std::to_string(low)
      + " and " + std::to_string(high);
    throw bad_option{std::move(text)};
  }
  return value;
}

traffic parse_traffic(const std::string& text) {
  for (const auto x : {traffic::one_way, traffic::both, traffic::ping_pong})
    if (to_string(x) == text)
      return x;
  throw bad_option{"--traffic is one-way, both or ping-pong"};
}

std::optional<size_t> parse_body(const std::string& text) {
  if (text == "text")
    return std::nullopt;
  size_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || value < corpus::head_size
    || value > limits::body_max)
    throw bad_option{"--body is `text` or a size between "
      + std::to_string(corpus::head_size) + " and "
      + std::to_string(limits::body_max)};
  return value;
}

template <class T>
std::shared_ptr<cxxopts::Value> by_default(const T& x) {
  if constexpr (std::is_convertible_v<T, std::string>)
    return cxxopts::value<std::string>()->default_value(x);
  else
    return cxxopts::value<T>()->default_value(std::to_string(x));
}

cxxopts::Options make_parser() {
  using words = std::vector<std::string>;
  cxxopts::Options out{"parley-bench", "Load for Parley, checked."};
  out.positional_help("SCENARIO").show_positional_help();
  out.add_options("")("scenario", "what to run", by_default(""));

  auto target = out.add_options("What is measured");
  target("server", "HOST:PORT, on this machine", cxxopts::value<std::string>());
  target("server-pid", "whose CPU and memory", by_default(0));
  target("start-server", "start `parley serve` and import users");
  target(
    "relay-only", "measure the relay alone (im, lone, broadcast, presence)");
  target("compare-relay",
    "measure the relay too, in turns; so by default with --start-server");
  target("no-relay", "do not");
  target("tls", "TLS towards the server (the relay has none)");
  target("protocol",
    "native or xmpp (im, lone, idle, presence, signin, signin-cost)",
    by_default("native"));
  target("stream-management", "acknowledge by XEP-0198 (xmpp)");
  target("parley", "the executable; default: beside this one", by_default(""));
  target("threads", "of a started server", by_default(uint32_t{1}));
  target("server-arg", "an argument more for `parley serve`; may be repeated",
    cxxopts::value<words>()->default_value(""));
  target("apart",
    "this process on one CPU, servers that it starts on the others; so by "
    "default with --ims");
  target("together", "do not");
  target("root", "where a started server's data go; default: TMPDIR or /tmp",
    by_default(""));

  auto time = out.add_options("How long");
  time(
    "seconds", "of measuring, each round", by_default(limits::seconds_default));
  time("warmup", "seconds before it", by_default(limits::warmup_default));
  time("rounds", "medians are of so many", by_default(limits::rounds_default));

  auto load = out.add_options("Load");
  load("traffic", "one-way, both or ping-pong (im)", by_default("both"));
  load("pairs", "of users (im)", by_default(uint32_t{50}));
  load("endpoints", "of each user (im)", by_default(uint32_t{1}));
  load("window",
    "IMs under way per conversation or sender; default 1, with --rate and for "
    "offline 64",
    by_default(uint32_t{0}));
  load("rate",
    "IMs (im, lone) or changes (presence) a second in total, open loop; 0: "
    "closed loop",
    by_default(0.0));
  load("body", "bytes, or `text`: as long as they come", by_default("100"));
  load("sessions", "idle ones; default 20000, or what open files allow",
    by_default(uint32_t{0}));
  load("senders", "offline", by_default(uint32_t{16}));
  load("recipients", "offline, broadcast", by_default(uint32_t{100}));
  load("each", "IMs to each recipient and round (offline)",
    by_default(uint32_t{500}));
  load("watchers", "of one user who changes (presence)",
    by_default(uint32_t{200}));
  load("users",
    "presence: that many who see each other instead; signin: default 20000, or "
    "what open files allow",
    by_default(uint32_t{0}));
  load("contacts",
    "of each user; default 20 (presence), 50 (signin), 200 (signin-cost)",
    by_default(uint32_t{0}));
  load("ims",
    "measure IMs without presence, with the relay's and with the server's "
    "(presence)");
  load("im-rate", "IMs a second, with --ims", by_default(2000.0));
  load("seed", "of texts", by_default(uint64_t{1}));
  load("prefix", "of user names: bench0, bench1, …", by_default("bench"));
  load("domain", "of user names", by_default("example.org"));
  load("first-user", "number of the first", by_default(uint32_t{0}));
  load("password", "of all users", by_default("bench"));

  auto other = out.add_options("Other");
  other("json", "print one JSON object");
  other("group", "connections that belong together (relay)",
    by_default(uint32_t{2}));
  other("count", "of users (users)", by_default(uint32_t{1000}));
  other("help", "print this");
  out.parse_positional({"scenario"});
  return out;
}

void read_protocol(const cxxopts::ParseResult& in, options& out) {
  const auto name = in["protocol"].as<std::string>();
  if (name != "native" && name != "xmpp")
    throw bad_option{"--protocol is native or xmpp"};
  if (name == "xmpp")
    out.protocol = client_protocol::xmpp;
  out.managed = in.count("stream-management") > 0;
  if (out.managed && name != "xmpp")
    throw bad_option{"--stream-management goes with --protocol xmpp"};
  const bool has_it = out.scenario != "offline" && out.scenario != "broadcast";
  if (name == "xmpp" && !has_it)
    throw bad_option{"--protocol xmpp has no " + out.scenario};
}

void read_target(const cxxopts::ParseResult& in, options& out) {
  out.start_server = in.count("start-server") > 0;
  out.relay_only = in.count("relay-only") > 0;
  const bool elsewhere = in.count("server") > 0;
  if (out.start_server + out.relay_only + elsewhere != 1)
    throw bad_option{
      "one of --server HOST:PORT, --start-server and --relay-only"};
  if (elsewhere) {
    out.server = loopback_address::parse(in["server"].as<std::string>());
    if (!out.server)
      throw bad_option{"--server is HOST:PORT of this machine: localhost, "
                       "127.x.y.z or [::1]; load goes nowhere else"};
  }
  const bool speaks_xmpp = out.protocol == client_protocol::xmpp;
  const bool can_relay = !speaks_xmpp
    && (out.scenario == "im" || out.scenario == "lone"
      || out.scenario == "broadcast"
      || (out.scenario == "presence" && in["users"].as<uint32_t>() == 0));
  if (!can_relay && (out.relay_only || in.count("compare-relay") > 0))
    throw bad_option{
      "the relay can do im, lone, broadcast and presence --watchers alone"};
  if (out.relay_only && in.count("ims") > 0)
    throw bad_option{"--ims sends IMs to a server: not with --relay-only"};
  const bool prepared = out.scenario == "presence" || out.scenario == "signin"
    || out.scenario == "signin-cost";
  if (prepared && elsewhere && !speaks_xmpp)
    throw bad_option{"the users of " + out.scenario
      + " have contacts from the start: --start-server"};
  out.compare_relay = can_relay && in.count("no-relay") == 0
    && (out.start_server || in.count("compare-relay") > 0);
  out.tls = in.count("tls") > 0;
  if (speaks_xmpp && out.tls)
    throw bad_option{"--protocol xmpp is measured over plain TCP alone"};
  out.server_pid = in["server-pid"].as<int>();
  out.parley = in["parley"].as<std::string>();
  if (out.parley.empty())
    out.parley =
      std::filesystem::path{own_path()}.parent_path().string() + "/parley";
  out.threads = number<uint32_t>(in, "threads", 1, limits::threads_max);
  out.server_arguments = in["server-arg"].as<std::vector<std::string>>();
  std::erase(out.server_arguments, "");
  if (in.count("apart") > 0) {
    if (elsewhere || in.count("together") > 0)
      throw bad_option{"--apart goes with servers that are started here"};
    out.apart = options::placing::apart;
  }
  out.root = in["root"].as<std::string>();
  if (out.root.empty())
    out.root = std::filesystem::temp_directory_path().string();
}

/// Of what people know of each other.
void read_presence(const cxxopts::ParseResult& in, options& out) {
  out.watchers = number<uint32_t>(in, "watchers", 1, limits::users_max);
  out.users = number<uint32_t>(in, "users", 0, limits::users_max);
  out.contacts = number<uint32_t>(in, "contacts", 0, limits::contacts_max);
  if (out.contacts == 0)
    out.contacts = out.scenario == "presence" ? 20
      : out.scenario == "signin"              ? 50
                                              : 200;
  out.ims = in.count("ims") > 0;
  out.im_rate = number(in, "im-rate", 1.0, limits::rate_max);
  out.presence = {.window = out.im.window, .rate = out.im.rate};
  if (out.ims && (out.scenario != "presence" || !out.presence.rate))
    throw bad_option{"--ims goes with presence and --rate: an open loop"};
  if (out.ims && out.start_server && in.count("together") == 0
    && out.apart == options::placing::together)
    out.apart = options::placing::apart_if_possible;
}

void read_load(const cxxopts::ParseResult& in, options& out) {
  out.seconds = number(in, "seconds", 0.1, limits::seconds_max);
  out.warmup = number(in, "warmup", 0.0, limits::seconds_max);
  out.rounds = number<uint32_t>(in, "rounds", 1, limits::rounds_max);
  const double rate = number(in, "rate", 0.0, limits::rate_max);
  if (rate > 0)
    out.im.rate = rate;
  auto window = number<uint32_t>(in, "window", 0, limits::window_max);
  if (window == 0)
    window = rate > 0 || out.scenario == "offline" ? 64 : 1;
  out.im.window = window;
  out.im.kind = parse_traffic(in["traffic"].as<std::string>());
  out.im.pairs = number<uint32_t>(in, "pairs", 1, limits::pairs_max);
  out.im.endpoints =
    number<uint32_t>(in, "endpoints", 1, limits::endpoints_max);
  if (out.scenario == "lone")
    out.im = {.kind = traffic::one_way,
      .pairs = 1,
      .endpoints = 1,
      .window = rate > 0 ? window : 1,
      .rate = out.im.rate};
  if (out.protocol == client_protocol::xmpp && out.im.endpoints > 1)
    throw bad_option{"servers of XMPP differ in which endpoints get an IM: "
                     "--endpoints 1"};
  out.body = parse_body(in["body"].as<std::string>());
  if (in["sessions"].as<uint32_t>() > 0)
    out.sessions = number<uint32_t>(in, "sessions", 2, limits::users_max);
  out.senders = number<uint32_t>(in, "senders", 1, limits::users_max);
  out.recipients = number<uint32_t>(in, "recipients", 1, limits::users_max);
  out.each = number<uint32_t>(in, "each", 1, limits::stored_max);
  if (uint64_t{out.recipients} * out.each > limits::stored_total_max)
    throw bad_option{"--recipients times --each is at most "
      + std::to_string(limits::stored_total_max)};
  read_presence(in, out);
  if (out.senders > out.recipients && out.scenario == "offline")
    throw bad_option{"--senders can be no more than --recipients"};
}

} // namespace

parsed_options parse_options(int argc, const char* const* argv) {
  auto parser = make_parser();
  parsed_options out;
  try {
    const auto in = parser.parse(argc, argv);
    auto& what = out.what;
    if (in.count("help") > 0) {
      out.text = parser.help() + std::string{about};
      return out;
    }
    if (!in.unmatched().empty())
      throw bad_option{"what is '" + in.unmatched().front() + "'?"};
    what.scenario =
      in.count("scenario") > 0 ? in["scenario"].as<std::string>() : "";
    if (std::find(scenarios.begin(), scenarios.end(), what.scenario)
      == scenarios.end())
      throw bad_option{"which scenario? --help lists them"};
    what.json = in.count("json") > 0;
    what.seed = in["seed"].as<uint64_t>();
    what.names = {in["prefix"].as<std::string>(),
      in["domain"].as<std::string>(),
      number<uint32_t>(in, "first-user", 0, limits::users_max)};
    what.password = in["password"].as<std::string>();
    what.group = number<uint32_t>(in, "group", 2, limits::users_max);
    what.count = number<uint32_t>(in, "count", 1, limits::users_max);
    if (what.scenario != "relay" && what.scenario != "users") {
      read_protocol(in, what);
      read_target(in, what);
      read_load(in, what);
    }
  } catch (const bad_option& e) {
    out.text = "parley-bench: " + e.text + "\n";
    out.code = 2;
  } catch (const cxxopts::exceptions::exception& e) {
    out.text = "parley-bench: " + std::string{e.what()} + "\n";
    out.code = 2;
  }
  return out;
}

} // namespace parley::bench
