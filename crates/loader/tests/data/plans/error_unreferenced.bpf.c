/* expect: program `alone` is not referenced by any ops structure; assign it to a member or begin its section with `?` */
#include "ops.h"
PROGRAM(alone)
