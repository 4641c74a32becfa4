import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A collection and its counters, which every commit that touches it brings up to date. */
@Entity('collections')
@Unique(['scope', 'name'])
export class CollectionEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  scope!: string;

  @Column('text')
  name!: string;

  /** The last sequence given out; never goes back, whatever is purged. */
  @Column('integer', { name: 'last_sequence', default: 0 })
  lastSequence!: number;

  /** Documents that are not tombstones, expired ones that were not swept yet included. */
  @Column('integer', { default: 0 })
  live!: number;
}
