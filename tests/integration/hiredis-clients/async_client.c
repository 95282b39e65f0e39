/* hiredis asynchronously on a loop of poll(2) in a few lines, so that no event library is needed.
 * Many commands in flight, replies in order, a large value, disconnect, connect again. */
#include <async.h>
#include <hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kCommands = 20000 };

struct loop {
  redisAsyncContext* context;
  int reading, writing;
  int next_reply;   /* the value that the next INCR must give */
  int done, connected, disconnected, disconnect_status;
  size_t large;
};

static void fail(const char* step) {
  fprintf(stderr, "failed: %s\n", step);
  exit(1);
}

static void add_read(void* data) { ((struct loop*)data)->reading = 1; }
static void del_read(void* data) { ((struct loop*)data)->reading = 0; }
static void add_write(void* data) { ((struct loop*)data)->writing = 1; }
static void del_write(void* data) { ((struct loop*)data)->writing = 0; }
static void cleanup(void* data) {
  struct loop* loop = data;
  loop->reading = loop->writing = 0;
  loop->context = NULL;
}

static void on_connect(const redisAsyncContext* context, int status) {
  if (status != REDIS_OK) fail(context->errstr);
  ((struct loop*)context->data)->connected = 1;
}

static void on_disconnect(const redisAsyncContext* context, int status) {
  struct loop* loop = context->data;
  loop->disconnected = 1;
  loop->disconnect_status = status;
}

static void on_counter(redisAsyncContext* context, void* data, void* unused) {
  (void)unused;
  struct loop* loop = context->data;
  redisReply* reply = data;
  if (reply == NULL || reply->type != REDIS_REPLY_INTEGER || reply->integer != loop->next_reply)
    fail("order of replies");
  ++loop->next_reply;
}

static void on_large(redisAsyncContext* context, void* data, void* unused) {
  (void)unused;
  struct loop* loop = context->data;
  redisReply* reply = data;
  if (reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len != loop->large)
    fail("large value");
  for (size_t i = 0; i < loop->large; ++i)
    if (reply->str[i] != (char)(i % 251)) fail("bytes of the large value");
  loop->done = 1;
}

static void start(struct loop* loop, int port) {
  loop->context = redisAsyncConnect("127.0.0.1", port);
  if (loop->context == NULL || loop->context->err) fail("connect");
  loop->connected = loop->disconnected = loop->done = 0;
  loop->next_reply = 1;
  redisAsyncContext* context = loop->context;
  context->data = loop;
  context->ev.data = loop;
  context->ev.addRead = add_read;
  context->ev.delRead = del_read;
  context->ev.addWrite = add_write;
  context->ev.delWrite = del_write;
  context->ev.cleanup = cleanup;
  loop->writing = 1;
  redisAsyncSetConnectCallback(context, on_connect);
  redisAsyncSetDisconnectCallback(context, on_disconnect);
}

static void run_until(struct loop* loop, const int* condition, const char* step) {
  while (!*condition) {
    if (loop->context == NULL) fail(step);
    struct pollfd entry = {loop->context->c.fd, 0, 0};
    if (loop->reading) entry.events |= POLLIN;
    if (loop->writing) entry.events |= POLLOUT;
    if (poll(&entry, 1, 60000) <= 0) fail("nothing happens");
    if (loop->context && (entry.revents & (POLLIN | POLLERR | POLLHUP)) && loop->reading)
      redisAsyncHandleRead(loop->context);
    if (loop->context && (entry.revents & (POLLOUT | POLLERR | POLLHUP)) && loop->writing)
      redisAsyncHandleWrite(loop->context);
  }
  printf("%s\n", step);
  fflush(stdout);
}

static void session(struct loop* loop, int port, const char* large_data) {
  start(loop, port);
  run_until(loop, &loop->connected, "connected");
  redisAsyncCommand(loop->context, NULL, NULL, "DEL counter");
  for (int i = 0; i < kCommands; ++i)
    redisAsyncCommand(loop->context, on_counter, NULL, "INCR counter");
  redisAsyncCommand(loop->context, NULL, NULL, "SET large %b", large_data, loop->large);
  redisAsyncCommand(loop->context, on_large, NULL, "GET large");
  run_until(loop, &loop->done, "replies");
  if (loop->next_reply != kCommands + 1) fail("count of replies");
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int port = atoi(argv[1]);
  struct loop loop = {0};
  loop.large = (size_t)strtoull(argv[2], NULL, 10);
  char* large_data = malloc(loop.large);
  if (large_data == NULL) fail("memory");
  for (size_t i = 0; i < loop.large; ++i) large_data[i] = (char)(i % 251);

  session(&loop, port, large_data);
  printf("restart me\n");
  fflush(stdout);
  run_until(&loop, &loop.disconnected, "disconnected");
  char line[16];
  if (fgets(line, sizeof line, stdin) == NULL) fail("restarted");
  session(&loop, port, large_data);
  redisAsyncDisconnect(loop.context);
  run_until(&loop, &loop.disconnected, "disconnected at will");
  if (loop.disconnect_status != REDIS_OK) fail("clean disconnect");
  free(large_data);
  printf("all held\n");
  return 0;
}
