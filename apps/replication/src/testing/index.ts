export { deployServersWith, observersOf, type RunningServer } from './running-server.js';
