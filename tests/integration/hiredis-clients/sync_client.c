/* What an application does with hiredis, synchronously. Prints one line per step that held; the
 * Python side restarts the server when it reads "restart me". Exit status 0 when all held. */
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int holds, const char* step) {
  if (!holds) {
    fprintf(stderr, "failed: %s\n", step);
    exit(1);
  }
  printf("%s\n", step);
  fflush(stdout);
}

static void check_status(redisReply* reply, const char* status, const char* step) {
  check(reply != NULL && reply->type == REDIS_REPLY_STATUS && !strcmp(reply->str, status), step);
  freeReplyObject(reply);
}

static char* pattern(size_t size) {
  char* data = malloc(size);
  check(data != NULL, "memory");
  for (size_t i = 0; i < size; ++i) data[i] = (char)((i * 2654435761u) >> 13);
  return data;
}

static void round_trip(redisContext* context, size_t size, const char* step) {
  char* data = pattern(size);
  freeReplyObject(redisCommand(context, "SET big %b", data, size));
  redisReply* reply = redisCommand(context, "GET big");
  check(reply != NULL && reply->type == REDIS_REPLY_STRING && reply->len == size &&
            memcmp(reply->str, data, size) == 0, step);
  freeReplyObject(reply);
  free(data);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int port = atoi(argv[1]);
  const size_t largest = (size_t)strtoull(argv[2], NULL, 10);
  redisContext* context = redisConnect("127.0.0.1", port);
  check(context != NULL && context->err == 0, "connect");
  check_status(redisCommand(context, "SET key value"), "OK", "set");

  redisReply* reply = redisCommand(context, "GET missing");
  check(reply->type == REDIS_REPLY_NIL, "nil");
  freeReplyObject(reply);
  reply = redisCommand(context, "NOSUCH");
  check(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "ERR unknown command", 19) == 0,
        "error");
  freeReplyObject(reply);
  reply = redisCommand(context, "MGET key missing key");
  check(reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
            reply->element[1]->type == REDIS_REPLY_NIL &&
            strcmp(reply->element[2]->str, "value") == 0, "array");
  freeReplyObject(reply);

  for (int i = 0; i < 10000; ++i) redisAppendCommand(context, "INCR counter");
  for (int i = 1; i <= 10000; ++i) {
    void* next = NULL;
    if (redisGetReply(context, &next) != REDIS_OK) check(0, "pipeline");
    if (((redisReply*)next)->integer != i) check(0, "pipeline order");
    freeReplyObject(next);
  }
  check(1, "pipeline");

  reply = redisCommand(context, "SET %b %b", "\0key\r\n", (size_t)6, "a\0b\r\n\xff", (size_t)6);
  freeReplyObject(reply);
  reply = redisCommand(context, "GET %b", "\0key\r\n", (size_t)6);
  check(reply->len == 6 && memcmp(reply->str, "a\0b\r\n\xff", 6) == 0, "binary");
  freeReplyObject(reply);
  round_trip(context, 1, "one byte");
  round_trip(context, 32 * 1024, "32 KiB");
  round_trip(context, 1024 * 1024 + 1, "1 MiB and a byte");
  round_trip(context, largest, "largest value");

  check(1, "restart me");
  char line[16];
  check(fgets(line, sizeof line, stdin) != NULL, "restarted");
  reply = redisCommand(context, "PING");
  check(reply == NULL && context->err != 0, "the old connection is gone");
  check(redisReconnect(context) == REDIS_OK, "reconnect");
  check_status(redisCommand(context, "PING"), "PONG", "serves again");
  redisFree(context);
  printf("all held\n");
  return 0;
}
