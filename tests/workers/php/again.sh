# A job that takes too long ends its worker, and a supervisor starts another.
while :; do
  php worker.php
  sleep 0.1
done
